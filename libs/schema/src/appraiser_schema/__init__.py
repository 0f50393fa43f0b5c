"""What a listing, a batch, an appraisal and a decision are."""
