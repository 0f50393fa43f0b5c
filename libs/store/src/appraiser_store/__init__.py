"""The lake and the ledger."""
