"""What the site does that Sphinx does not: run its code blocks, show the ledger, show sources, check its links."""
