-- What meetings were called that were deleted, or expired and were replaced.
CREATE TABLE gone (
  tenant  ANY NOT NULL,
  thread  ANY NOT NULL,
  message ANY NOT NULL,
  user    ANY NOT NULL,
  PRIMARY KEY (tenant, thread, message, user)
) STRICT, WITHOUT ROWID;
