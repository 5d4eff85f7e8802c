"""Claims that follow from the numbers that the paper prints, by arithmetic alone. Nothing was trained for them."""
