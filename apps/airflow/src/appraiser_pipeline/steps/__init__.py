"""The steps of the pipeline, one per module. Each is called with a batch number and may be called again."""
