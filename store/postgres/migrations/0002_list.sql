-- +goose Up

-- For lists of a user's or a tenant's meetings.
CREATE INDEX meetings_list ON meetings (tenant, user_id, start_time, thread, message);

-- +goose Down
DROP INDEX meetings_list;
