-- +goose Up

-- A message of FinOps' queue, beside the shipment that it became.
CREATE TABLE messages (
    seq            INTEGER PRIMARY KEY REFERENCES shipments (seq) ON DELETE CASCADE,
    shipment_id    TEXT    NOT NULL UNIQUE,
    environment    TEXT    NOT NULL,
    activity       TEXT    NOT NULL,
    correlation_id TEXT    NOT NULL,
    body           BLOB    NOT NULL,             -- the newest answer to dequeue, byte for byte: what is acked; '' once it is
    dequeued_at    INTEGER NOT NULL,             -- when that answer came
    redelivered    INTEGER NOT NULL DEFAULT 0,
    state          TEXT    NOT NULL CHECK (state IN ('held', 'due', 'stale', 'acked', 'assumed')),
    detail         TEXT    NOT NULL DEFAULT '',
    due_at         INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    acked_at       INTEGER
) STRICT;

CREATE INDEX messages_due   ON messages (due_at)                             WHERE state = 'due';
CREATE INDEX messages_stale ON messages (environment, activity, dequeued_at) WHERE state = 'stale';

-- What is remembered of a queue between two polls.
CREATE TABLE queues (
    environment     TEXT    NOT NULL,
    activity        TEXT    NOT NULL,
    first_polled_at INTEGER NOT NULL,
    last_polled_at  INTEGER NOT NULL,
    drained_at      INTEGER,                     -- when a poll last found the queue empty
    last_message_at INTEGER,
    messages        INTEGER NOT NULL DEFAULT 0,  -- distinct ones
    failures        INTEGER NOT NULL DEFAULT 0,  -- polls in a row that did not reach the end
    problem         TEXT    NOT NULL DEFAULT '', -- of the last poll; '' when it went well
    PRIMARY KEY (environment, activity)
) STRICT, WITHOUT ROWID;
