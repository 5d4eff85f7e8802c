"""The theorems: bounds with explicit constants, the chains that prove them, runs that attain them, counterexamples."""
