"""The versions of the model: how good they are, and what was decided about them."""
