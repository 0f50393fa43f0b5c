"""What came in: batches, what was refused, how they differ, and what was decided about training."""
