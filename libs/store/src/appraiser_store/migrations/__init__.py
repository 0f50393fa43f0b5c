"""How the ledger's tables came to be what they are: one file a change, run by Alembic."""
