"""Listings to a float32 matrix, the same for one row and for a million."""
