"""Retention terms, where a chain was cut, the tally by month, an index for the audit page."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

TERMS = """
CREATE TABLE term (
  municipality text NOT NULL REFERENCES municipality, what text NOT NULL, days integer NOT NULL,
  PRIMARY KEY (municipality, what));
ALTER TABLE term ENABLE ROW LEVEL SECURITY;

-- rows up to this one were pruned; the chain is computed from its hash on
ALTER TABLE head ADD COLUMN pruned_seq bigint NOT NULL DEFAULT 0,
  ADD COLUMN pruned_hash bytea NOT NULL DEFAULT '';

CREATE INDEX audit_newest ON audit (at DESC);
CREATE INDEX audit_newest_own ON audit (municipality, at DESC);
"""
# a page reads months; days were twenty times the rows
TALLY = """
CREATE TEMPORARY TABLE months (LIKE tally) ON COMMIT DROP;
INSERT INTO months SELECT municipality, home, date_trunc('month', day)::date, kind, outcome, carers,
  sum(n), sum(elapsed_s), sum(staff_s), sum(blocks), sum(alarms) FROM tally
  GROUP BY 1, 2, 3, 4, 5, 6;
DELETE FROM tally;
ALTER TABLE tally RENAME COLUMN day TO month;
INSERT INTO tally SELECT * FROM months;
CREATE INDEX tally_month ON tally (month);
"""


def upgrade() -> None:
    op.execute(TERMS)
    op.execute(TALLY)
