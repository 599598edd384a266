"""Training on a CPU: less time and memory for the same steps."""
