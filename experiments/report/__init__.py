"""Tables, pages and files made from the analysis."""
