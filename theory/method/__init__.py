"""The objects: E's recursions, the paper's algorithms word for word, its filters, and recorded runs."""
