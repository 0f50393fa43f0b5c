"""The Secrets of a cluster: which there are, how they are made, and how they are kept without being readable."""
