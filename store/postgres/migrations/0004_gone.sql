-- +goose Up

-- What meetings were called that were deleted, or expired and were replaced.
CREATE TABLE gone (
  tenant  text COLLATE "C" NOT NULL,
  thread  text COLLATE "C" NOT NULL,
  message text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,

  PRIMARY KEY (tenant, thread, message, user_id)
);

-- +goose Down
DROP TABLE gone;
