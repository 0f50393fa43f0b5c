"""Everything that a state folder keeps, in one file, and back."""
