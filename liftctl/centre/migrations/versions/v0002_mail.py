"""Sealed orders to a gateway and what it reports about them: support, configurations."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

MAIL = """
ALTER TABLE controller ADD COLUMN site_key bytea, ADD COLUMN mail_hash bytea,
  ADD COLUMN desired jsonb NOT NULL DEFAULT '{}', ADD COLUMN afar jsonb NOT NULL DEFAULT '{}';

CREATE TABLE letter (
  municipality text NOT NULL, home text NOT NULL, controller text NOT NULL, id text NOT NULL,
  kind text NOT NULL, at timestamptz NOT NULL, expires_at timestamptz NOT NULL, who text NOT NULL,
  envelope bytea NOT NULL, code text NOT NULL DEFAULT '', told text NOT NULL DEFAULT '',
  answered_at timestamptz, PRIMARY KEY (municipality, controller, id));

CREATE TABLE bundle (
  municipality text NOT NULL, home text NOT NULL, controller text NOT NULL, sha256 text NOT NULL,
  at timestamptz NOT NULL, contents jsonb NOT NULL, data bytea NOT NULL,
  PRIMARY KEY (municipality, controller, sha256));
"""
OWN = "municipality = current_setting('liftctl.municipality', true)"
OWN_HOME = "coalesce(current_setting('liftctl.home', true), '') IN ('', home)"


def upgrade() -> None:
    op.execute(MAIL)
    for table in ("letter", "bundle"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY ingest ON {table} TO liftctl_ingest USING ({OWN})")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO liftctl_tenant USING ({OWN} AND {OWN_HOME})"
        )
        op.execute(f"CREATE POLICY centre ON {table} TO liftctl_centre USING (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE ON letter, bundle TO liftctl_ingest")
    op.execute("GRANT SELECT ON letter, bundle TO liftctl_tenant, liftctl_centre")
