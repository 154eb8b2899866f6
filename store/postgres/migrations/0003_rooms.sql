-- +goose Up

-- An id is never used twice: a room that was dropped is not the one that has its
-- name now.
CREATE TABLE rooms (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name     text COLLATE "C" NOT NULL,
  tenant   text COLLATE "C" NOT NULL,
  doc      json NOT NULL,
  revision bigint NOT NULL,
  open     boolean NOT NULL,

  CONSTRAINT rooms_name UNIQUE (name)
);

CREATE INDEX rooms_tenant ON rooms (tenant);
CREATE INDEX rooms_open   ON rooms (id) WHERE open;

-- The number of the last message in a room. Its lock puts the transactions that
-- add messages in the order of their numbers.
CREATE TABLE threads (
  room   text COLLATE "C" PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  last   bigint NOT NULL
);

CREATE INDEX threads_tenant ON threads (tenant);

CREATE TABLE messages (
  room text COLLATE "C" NOT NULL REFERENCES threads ON DELETE CASCADE,
  seq  bigint NOT NULL,
  doc  json NOT NULL,

  PRIMARY KEY (room, seq)
);

CREATE TABLE reports (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant     text COLLATE "C" NOT NULL,
  thread     text COLLATE "C" NOT NULL,
  message    text COLLATE "C" NOT NULL,
  start_time bigint NOT NULL,                -- ticks
  doc        json NOT NULL
);

CREATE INDEX reports_thread ON reports (tenant, thread, message, start_time);

-- +goose Down
DROP TABLE reports;
DROP TABLE messages;
DROP TABLE threads;
DROP TABLE rooms;
