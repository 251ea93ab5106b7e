-- +goose Up

-- What a door turned away or could not store, one row for each environment and
-- HTTP status: rows must not grow by who knocks. Environments that are not
-- configured share ''.
CREATE TABLE refusals (
    environment TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    why         TEXT    NOT NULL,            -- of the last
    count       INTEGER NOT NULL,
    since       INTEGER NOT NULL,            -- the first of a row of them without a day between
    last_at     INTEGER NOT NULL,
    remotes     TEXT    NOT NULL,            -- addresses, the newest first, parted by blanks; a few
    PRIMARY KEY (environment, status)
) STRICT, WITHOUT ROWID;

-- One row, written again and again: whether the ledger can be written is known
-- only by writing it.
CREATE TABLE probes (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    at   INTEGER NOT NULL
) STRICT;
