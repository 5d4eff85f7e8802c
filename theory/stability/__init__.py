"""Where E is stable, its stationary noise, its nearest relatives, and advice on a setting."""
