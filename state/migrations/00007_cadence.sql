-- +goose Up

-- What was last heard of a flow that is expected at a rhythm.
CREATE TABLE cadences (
    flow        TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    heard_at    INTEGER NOT NULL,            -- last export or message; when the watch began, if none came yet
    explained_at INTEGER,                    -- until when FinOps' history explains the silence
    looked_at   INTEGER,                     -- when FinOps was last asked about a silence
    state       TEXT    NOT NULL CHECK (state IN ('punctual', 'quiet', 'late')),
    detail      TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (flow, environment)
) STRICT, WITHOUT ROWID;

-- The last slot of a data project's schedule that was taken.
CREATE TABLE schedules (
    environment TEXT    NOT NULL,
    project     TEXT    NOT NULL,
    slot_at     INTEGER NOT NULL,
    PRIMARY KEY (environment, project)
) STRICT, WITHOUT ROWID;
