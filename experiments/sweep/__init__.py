"""Many runs: which are left, and who computes them."""
