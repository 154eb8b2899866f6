-- GUIDs, numbers and threads are kept in a short form (compact.go), hence ANY.
-- Times are ticks of 100 ns since the year 1.
CREATE TABLE meetings (
  id              INTEGER PRIMARY KEY,
  tenant          ANY     NOT NULL,
  user            ANY     NOT NULL,
  external_id     TEXT,             -- NULL: not made by createOrGet
  thread          ANY     NOT NULL,
  message         ANY     NOT NULL,
  join_meeting_id ANY,
  vtc             ANY,
  toll_number     TEXT,
  conference_id   ANY,
  passcode        TEXT,
  subject         TEXT,
  start_time      INTEGER NOT NULL,
  end_time        INTEGER NOT NULL,
  created         INTEGER NOT NULL,
  expires         INTEGER NOT NULL,
  revision        INTEGER NOT NULL,
  options         TEXT,             -- NULL: the defaults
  attendees       TEXT              -- NULL: none
) STRICT;

CREATE UNIQUE INDEX meetings_owner      ON meetings (tenant, user, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX meetings_thread     ON meetings (tenant, thread, message);
CREATE UNIQUE INDEX meetings_join       ON meetings (join_meeting_id) WHERE join_meeting_id IS NOT NULL;
CREATE UNIQUE INDEX meetings_vtc        ON meetings (vtc) WHERE vtc IS NOT NULL;
CREATE UNIQUE INDEX meetings_conference ON meetings (toll_number, conference_id) WHERE conference_id IS NOT NULL;

CREATE TABLE records (
  kind     TEXT    NOT NULL,
  tenant   TEXT    NOT NULL,
  id       TEXT    NOT NULL,
  name     TEXT,             -- NULL: without a name
  doc      BLOB,
  revision INTEGER NOT NULL,
  expires  INTEGER,          -- NULL: never
  PRIMARY KEY (kind, tenant, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX records_name    ON records (kind, tenant, name) WHERE name IS NOT NULL;
CREATE INDEX        records_expires ON records (expires) WHERE expires IS NOT NULL;

CREATE TABLE audit (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  at     INTEGER NOT NULL,
  actor  TEXT    NOT NULL,
  action TEXT    NOT NULL,
  tenant TEXT    NOT NULL,
  target TEXT    NOT NULL,
  detail BLOB
) STRICT;

CREATE INDEX audit_tenant ON audit (tenant);

-- One row: how often the records that steer were changed.
CREATE TABLE generation (value INTEGER NOT NULL) STRICT;
INSERT INTO generation VALUES (1);
