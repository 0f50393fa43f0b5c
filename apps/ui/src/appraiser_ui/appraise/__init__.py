"""A house and its price: the form, the answer, and the reasons."""
