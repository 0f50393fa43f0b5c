"""What Alembic runs: the changes that a ledger lacks, over a connection, or written down as statements without one."""

from alembic import context

from appraiser_store.ledger_tables import METADATA
from appraiser_store.migrating import VERSION_TABLE

_attributes = context.config.attributes

if "connection" in _attributes:
    context.configure(connection=_attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE)
else:
    context.configure(dialect_name=_attributes["dialect"], target_metadata=METADATA, version_table=VERSION_TABLE)

with context.begin_transaction():
    context.run_migrations()
