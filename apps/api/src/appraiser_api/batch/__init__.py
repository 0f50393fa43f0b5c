"""Many houses in one request: a body is spooled, read a chunk at a time, appraised in a thread, and streamed back."""
