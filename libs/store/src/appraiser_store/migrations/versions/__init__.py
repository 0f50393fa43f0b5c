"""The changes, each after the one that it names as the one before."""
