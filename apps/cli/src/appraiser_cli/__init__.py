"""The appraiser command."""
