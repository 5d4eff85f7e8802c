"""What an experiment is, read from TOML and checked before anything runs."""
