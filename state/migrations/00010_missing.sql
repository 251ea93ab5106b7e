-- +goose Up

-- Entities of a flow that came at its rhythm and then did not, while others came.
CREATE TABLE missing (
    flow         TEXT    NOT NULL,
    environment  TEXT    NOT NULL,
    entity       TEXT    NOT NULL COLLATE NOCASE,
    heard_at     INTEGER NOT NULL,            -- its last export
    explained_at INTEGER,                     -- until when FinOps' history explains the silence
    looked_at    INTEGER NOT NULL,            -- when FinOps was last asked
    state        TEXT    NOT NULL CHECK (state IN ('quiet', 'late')),
    detail       TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (flow, environment, entity)
) STRICT, WITHOUT ROWID;
