"""Processes that the command starts, watches, remembers and ends."""
