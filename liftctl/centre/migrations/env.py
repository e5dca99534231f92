"""Alembic's entry: runs the versions on the connection that `liftctl centre` hands over.

Role: schema changes. Process: `liftctl centre migrate`. Must never: read an address from a file.
"""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
