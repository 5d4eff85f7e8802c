"""Claims about the paper's assumptions and theorems, and our own theorems."""
