-- +goose Up

-- Which finrelay this is, for the markers that outputs leave in their folders. Random: it names this ledger, and nothing
-- that FinOps sent.
CREATE TABLE installation (id TEXT NOT NULL) STRICT;
INSERT INTO installation (id) VALUES (lower(hex(randomblob(8))));

-- Where an output's rows go: the folder, and the marker that was there. One row for each folder that the configuration
-- has named, so that going back to an old one finds it known.
CREATE TABLE places (
    output TEXT    NOT NULL,
    folder TEXT    NOT NULL,
    marker TEXT    NOT NULL,                  -- id in the folder's marker
    since  INTEGER NOT NULL,
    PRIMARY KEY (output, folder)
) STRICT, WITHOUT ROWID;
