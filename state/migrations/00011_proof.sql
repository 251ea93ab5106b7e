-- +goose Up

-- Why a message's file is known to be the export, whole: what an ack needs, and
-- all that it reads. '' is not known.
ALTER TABLE shipments ADD COLUMN proof TEXT NOT NULL DEFAULT '' CHECK (proof IN ('', 'whole', 'twice', 'no_file', 'elsewhere', 'person'));

-- What came instead, or what may be the export: kept, and compared with what
-- the next download brings.
ALTER TABLE shipments ADD COLUMN seen_file   TEXT    NOT NULL DEFAULT ''; -- below the state folder; '' when nothing came yet
ALTER TABLE shipments ADD COLUMN seen_as     TEXT    NOT NULL DEFAULT ''; -- a Doubt
ALTER TABLE shipments ADD COLUMN seen_sha256 TEXT    NOT NULL DEFAULT '';
ALTER TABLE shipments ADD COLUMN seen_bytes  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shipments ADD COLUMN seen_at     INTEGER;                     -- when these bytes came first

-- A file that an earlier version fetched from a queue and did not open yet is
-- looked at anew. What was opened, or stands on the list, was decided by the
-- rules of then.
UPDATE shipments SET state = 'pending', raw_file = '', raw_bytes = 0, raw_sha256 = '', fetched_at = NULL, owner = '', lease_until = 0
    WHERE source = 'queue' AND state = 'fetched' AND opened_at IS NULL;
UPDATE shipments SET proof = 'whole' WHERE raw_file <> '';
UPDATE shipments SET proof = 'elsewhere' WHERE raw_file = '' AND state = 'settled';

-- Messages that FinOps will hand out again: when to look for them.
CREATE INDEX messages_again ON messages (environment, activity, dequeued_at) WHERE state IN ('held', 'due', 'stale');
