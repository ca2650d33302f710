"""What the five notebooks share. Each function is derived by hand in the notebook it names."""
