-- For lists of a user's or a tenant's meetings.
CREATE INDEX meetings_list ON meetings (tenant, user, start_time, thread, message);
