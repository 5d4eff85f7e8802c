"""Many runs: which are not finished, and the processes or jobs that train them."""
