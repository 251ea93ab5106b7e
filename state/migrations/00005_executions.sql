-- +goose Up

-- Runs of data projects that finrelay asked FinOps for.
CREATE TABLE executions (
    seq           INTEGER PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    environment   TEXT    NOT NULL,
    project       TEXT    NOT NULL,
    legal_entity  TEXT    NOT NULL,
    execution_id  TEXT    NOT NULL,            -- chosen and stored before FinOps is called
    state         TEXT    NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'stuck', 'done', 'failed', 'skipped')),
    status        TEXT    NOT NULL DEFAULT '', -- FinOps' own, as last heard
    reason        TEXT    NOT NULL DEFAULT '',
    detail        TEXT    NOT NULL DEFAULT '',
    park_partial  INTEGER NOT NULL,            -- 1: exports of a partly succeeded run are parked
    due_at        INTEGER NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,  -- since the state last changed
    requested_at  INTEGER NOT NULL,
    requested_by  TEXT    NOT NULL,
    called_at     INTEGER,                     -- when FinOps was last asked to start it
    ended_at      INTEGER,
    shipment_id   TEXT    NOT NULL DEFAULT ''
) STRICT;

-- FinOps cannot run one data project twice at a time: this is the lock.
CREATE UNIQUE INDEX executions_lock ON executions (environment, project) WHERE state IN ('starting', 'running', 'stuck');
CREATE INDEX executions_live ON executions (due_at) WHERE state IN ('queued', 'starting', 'running');
CREATE INDEX executions_list ON executions (state)  WHERE state IN ('stuck', 'failed');
