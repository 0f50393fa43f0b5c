"""Many houses in one request: a body is spooled, and a process of its own reads, appraises and answers it in chunks."""
