"""A listing API with the original's contract, over a file or a simulator."""
