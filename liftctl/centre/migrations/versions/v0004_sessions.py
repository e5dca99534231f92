"""The number of a member's sessions: signing out counts it up, and cookies with an older one are
worth nothing. It begins with the time, so that a member who is taken out and put in again has
another.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

SESSION = """
ALTER TABLE member
  ADD COLUMN session bigint NOT NULL DEFAULT extract(epoch FROM clock_timestamp())::bigint;
GRANT UPDATE (session) ON member TO liftctl_door;
"""


def upgrade() -> None:
    op.execute(SESSION)
