"""Retention terms, where a chain was cut; and what pages are read by: the tally by month, what a
device told as columns, the audit trail by time.
"""

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
# a page reads months and no kinds, a small part of the rows; a sum of bigint is a slow numeric
TALLY = """
CREATE TEMPORARY TABLE months ON COMMIT DROP AS
  SELECT municipality, home, date_trunc('month', day)::date AS month, outcome, carers, sum(n) AS n,
    sum(elapsed_s) AS elapsed_s, sum(staff_s) AS staff_s, sum(blocks) AS blocks,
    sum(alarms) AS alarms
  FROM tally GROUP BY 1, 2, 3, 4, 5;
DELETE FROM tally;
ALTER TABLE tally RENAME COLUMN day TO month;
ALTER TABLE tally DROP COLUMN kind, ALTER n TYPE integer, ALTER blocks TYPE integer,
  ALTER alarms TYPE integer, ADD PRIMARY KEY (municipality, home, month, outcome, carers);
INSERT INTO tally SELECT * FROM months;
CREATE INDEX tally_month ON tally (month);
"""
# computed when a device tells, not when forty thousand are ordered
TOLD = """
ALTER TABLE controller
  ADD COLUMN latched boolean GENERATED ALWAYS AS (jsonb_typeof(reported -> 'latched') = 'array'
    AND reported -> 'latched' <> '[]') STORED,
  ADD COLUMN lowering_only boolean
    GENERATED ALWAYS AS (reported -> 'config_fallback' = 'true') STORED,
  ADD COLUMN faulted boolean GENERATED ALWAYS AS (reported ->> 'mode' = 'faulted') STORED,
  ADD COLUMN battery_pct double precision GENERATED ALWAYS AS (
    CASE WHEN jsonb_typeof(reported -> 'battery_pct') = 'number'
    THEN (reported ->> 'battery_pct')::float8 END) STORED,
  ADD COLUMN brake_drift_mm double precision
    GENERATED ALWAYS AS ((trends ->> 'brake_drift_mm')::float8) STORED,
  ADD COLUMN comms_errors double precision
    GENERATED ALWAYS AS ((trends ->> 'comms_errors')::float8) STORED,
  ADD COLUMN motor_current_ratio double precision GENERATED ALWAYS AS (
    (trends ->> 'motor_current_pct_at_swl')::float8
    / nullif((commissioned ->> 'motor_current_pct_at_swl')::float8, 0)) STORED;
"""


def upgrade() -> None:
    op.execute(TERMS)
    op.execute(TOLD)
    op.execute(TALLY)
