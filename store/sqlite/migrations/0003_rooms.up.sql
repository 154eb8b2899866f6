-- Documents are JSON. An id is never used twice: a room that was dropped is not
-- the one that has its name now.
CREATE TABLE rooms (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  name     TEXT    NOT NULL,
  tenant   TEXT    NOT NULL,
  doc      TEXT    NOT NULL,
  revision INTEGER NOT NULL,
  open     INTEGER NOT NULL  -- 0 or 1
) STRICT;

CREATE UNIQUE INDEX rooms_name   ON rooms (name);
CREATE INDEX        rooms_tenant ON rooms (tenant);
CREATE INDEX        rooms_open   ON rooms (id) WHERE open = 1;

CREATE TABLE messages (
  tenant TEXT    NOT NULL,
  room   TEXT    NOT NULL,
  seq    INTEGER NOT NULL,
  doc    TEXT    NOT NULL,
  PRIMARY KEY (tenant, room, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE reports (
  id         INTEGER PRIMARY KEY,
  tenant     TEXT    NOT NULL,
  thread     TEXT    NOT NULL,
  message    TEXT    NOT NULL,
  start_time INTEGER NOT NULL,  -- ticks
  doc        TEXT    NOT NULL
) STRICT;

CREATE INDEX reports_thread ON reports (tenant, thread, message, start_time);
