"""The first schema: tenants, chains, what is read out of them, people.

Every tenant table begins its primary key with `municipality`: the distribution column of Citus
and what row-level security compares. Names of the settings are in `liftctl/centre/database.py`.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

TENANT = """
CREATE TABLE municipality (municipality text PRIMARY KEY, title text NOT NULL);

CREATE TABLE home (
  municipality text NOT NULL REFERENCES municipality, home text NOT NULL, title text NOT NULL,
  PRIMARY KEY (municipality, home));

CREATE TABLE enrolment (
  municipality text NOT NULL, code_hash bytea NOT NULL, home text NOT NULL,
  controller text NOT NULL, expires_at timestamptz NOT NULL, used_at timestamptz,
  PRIMARY KEY (municipality, code_hash),
  FOREIGN KEY (municipality, home) REFERENCES home);

-- one gateway; also its newest facts, so that the fleet is read from one table
CREATE TABLE controller (
  municipality text NOT NULL, controller text NOT NULL, home text NOT NULL, kind text NOT NULL,
  title text NOT NULL, public_key bytea NOT NULL, enrolled_at timestamptz NOT NULL,
  revoked_at timestamptz, quarantined_at timestamptz, quarantine_why text NOT NULL DEFAULT '',
  durable_at timestamptz, durable_seq bigint NOT NULL DEFAULT 0, durable_epoch bigint,
  newest_at timestamptz, clock_off_s double precision NOT NULL DEFAULT 0,
  set_aside bigint NOT NULL DEFAULT 0,
  reported jsonb NOT NULL DEFAULT '{}', reported_at timestamptz,
  transfers_28d integer NOT NULL DEFAULT 0, active_days_28d integer NOT NULL DEFAULT 0,
  commissioned jsonb NOT NULL DEFAULT '{}', trends jsonb NOT NULL DEFAULT '{}',
  cycles bigint NOT NULL DEFAULT 0, service_cycles bigint, service_by date, inspection_by date,
  trips_7d integer NOT NULL DEFAULT 0,
  PRIMARY KEY (municipality, controller),
  FOREIGN KEY (municipality, home) REFERENCES home);

-- where each chain of a controller stands
CREATE TABLE head (
  municipality text NOT NULL, controller text NOT NULL, epoch bigint NOT NULL, stream text NOT NULL,
  first_seq bigint NOT NULL, seq bigint NOT NULL, hash bytea NOT NULL, parent bytea NOT NULL,
  body_sha256 bytea NOT NULL, signature bytea NOT NULL, at timestamptz NOT NULL,
  note text NOT NULL, PRIMARY KEY (municipality, controller, epoch));

CREATE TABLE entry (
  municipality text NOT NULL, home text NOT NULL, controller text NOT NULL, epoch bigint NOT NULL,
  seq bigint NOT NULL, received_at timestamptz NOT NULL, header bytea NOT NULL,
  commitment bytea NOT NULL, hash bytea NOT NULL, salt bytea NOT NULL, body bytea NOT NULL,
  summary bytea NOT NULL, sealed text NOT NULL,
  PRIMARY KEY (municipality, controller, epoch, seq)) PARTITION BY HASH (controller);

CREATE TABLE event (
  municipality text NOT NULL, home text NOT NULL, controller text NOT NULL, epoch bigint NOT NULL,
  seq bigint NOT NULL, at timestamptz NOT NULL, kind text NOT NULL, name text NOT NULL,
  detail jsonb NOT NULL,
  PRIMARY KEY (municipality, controller, epoch, seq, at)) PARTITION BY RANGE (at);
CREATE INDEX event_newest ON event (municipality, controller, at DESC);

CREATE TABLE transfer (
  municipality text NOT NULL, home text NOT NULL, controller text NOT NULL, epoch bigint NOT NULL,
  seq bigint NOT NULL, at timestamptz NOT NULL, id text NOT NULL, kind text NOT NULL,
  outcome text NOT NULL, carers integer, elapsed_s double precision, staff_s double precision,
  blocks integer NOT NULL, alarms integer NOT NULL, detail jsonb NOT NULL,
  PRIMARY KEY (municipality, controller, epoch, seq, at)) PARTITION BY RANGE (at);
CREATE INDEX transfer_newest ON transfer (municipality, controller, at DESC);
CREATE INDEX transfer_time ON transfer (municipality, at);

CREATE TABLE trend (
  municipality text NOT NULL, home text NOT NULL, controller text NOT NULL, name text NOT NULL,
  day date NOT NULL, value double precision NOT NULL,
  PRIMARY KEY (municipality, controller, name, day));

-- per home and day: what evidence across homes is read from
CREATE TABLE tally (
  municipality text NOT NULL, home text NOT NULL, day date NOT NULL, kind text NOT NULL,
  outcome text NOT NULL, carers integer NOT NULL, n bigint NOT NULL,
  elapsed_s double precision NOT NULL, staff_s double precision NOT NULL,
  blocks bigint NOT NULL, alarms bigint NOT NULL,
  PRIMARY KEY (municipality, home, day, kind, outcome, carers));

CREATE TABLE quarantine (
  municipality text NOT NULL, home text NOT NULL, controller text NOT NULL,
  body_sha256 bytea NOT NULL, at timestamptz NOT NULL, epoch bigint NOT NULL, seq bigint NOT NULL,
  why text NOT NULL, body bytea NOT NULL, times integer NOT NULL DEFAULT 1,
  PRIMARY KEY (municipality, controller, body_sha256));

CREATE TABLE audit (
  municipality text NOT NULL, id uuid NOT NULL DEFAULT gen_random_uuid(),
  at timestamptz NOT NULL DEFAULT now(), who text NOT NULL, what text NOT NULL,
  detail jsonb NOT NULL, PRIMARY KEY (municipality, id));
"""

# people and tokens belong to no tenant: reference tables under Citus; only the sign-in reads them
PEOPLE = """
CREATE TABLE member (
  issuer text NOT NULL, subject text NOT NULL, name text NOT NULL, role text NOT NULL,
  municipality text NOT NULL DEFAULT '', home text NOT NULL DEFAULT '',
  PRIMARY KEY (issuer, subject));
CREATE TABLE token (
  token_hash bytea PRIMARY KEY, name text NOT NULL, role text NOT NULL,
  municipality text NOT NULL DEFAULT '', home text NOT NULL DEFAULT '',
  made_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL,
  revoked_at timestamptz);
"""

ALL = ("municipality", "home", "enrolment", "controller", "head", "entry", "event", "transfer",
       "trend", "tally", "quarantine", "audit")  # fmt: skip
WITH_HOME = ("home", "entry", "event", "transfer", "trend", "tally", "quarantine", "controller")
READ = ("municipality", "home", "controller", "head", "event", "transfer", "trend", "tally",
        "quarantine")  # fmt: skip
OWN = "municipality = current_setting('liftctl.municipality', true)"
OWN_HOME = "coalesce(current_setting('liftctl.home', true), '') IN ('', home)"


def upgrade() -> None:
    op.execute(TENANT)
    op.execute(PEOPLE)
    for number in range(8):
        op.execute(
            f"CREATE TABLE entry_{number} PARTITION OF entry"
            f" FOR VALUES WITH (MODULUS 8, REMAINDER {number})"
        )
    for table in ("event", "transfer"):
        op.execute(f"CREATE TABLE {table}_other PARTITION OF {table} DEFAULT")
    for role in ("liftctl_ingest", "liftctl_tenant", "liftctl_centre", "liftctl_door"):
        op.execute(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
    for table in ALL:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        limited = f"{OWN} AND {OWN_HOME}" if table in WITH_HOME else OWN
        op.execute(f"CREATE POLICY ingest ON {table} TO liftctl_ingest USING ({OWN})")
        op.execute(f"CREATE POLICY tenant ON {table} TO liftctl_tenant USING ({limited})")
        op.execute(f"CREATE POLICY centre ON {table} TO liftctl_centre USING (true)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(ALL)} TO liftctl_ingest")
    op.execute("GRANT DELETE ON transfer TO liftctl_ingest")  # a corrected close leaves the reading
    op.execute(f"GRANT SELECT ON {', '.join(READ)} TO liftctl_tenant, liftctl_centre")
    op.execute("GRANT SELECT, INSERT ON audit TO liftctl_tenant, liftctl_centre")
    op.execute("GRANT SELECT ON member, token TO liftctl_door")
