-- +goose Up

-- Rows are appended under an integer key, so that one commit touches few
-- pages; the TEXT id is what everything outside this file speaks of.

CREATE TABLE environments (
    name  TEXT    NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL,          -- counts database refreshes: identities of another epoch are not ours
    since INTEGER NOT NULL,
    why   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    seq               INTEGER PRIMARY KEY,
    id                TEXT    NOT NULL UNIQUE,   -- hash of environment, epoch and identity: uniqueness here is what makes a duplicate
    environment       TEXT    NOT NULL,
    epoch             INTEGER NOT NULL,
    door              TEXT    NOT NULL,
    identity          TEXT    NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('accepted', 'ignored', 'unreadable')),
    reason            TEXT    NOT NULL DEFAULT '',
    business_event_id TEXT    NOT NULL DEFAULT '',
    finops_event_id   TEXT    NOT NULL DEFAULT '',
    entity            TEXT    NOT NULL DEFAULT '',
    legal_entity      TEXT    NOT NULL DEFAULT '',
    control_number    INTEGER,
    rec_id            INTEGER,
    event_at          INTEGER NOT NULL,          -- FinOps' time of the event, else when it arrived
    timeless          INTEGER NOT NULL DEFAULT 0, -- 1: the event told no time
    received_at       INTEGER NOT NULL,
    shipment_id       TEXT    NOT NULL DEFAULT '',
    duplicates        INTEGER NOT NULL DEFAULT 0,
    last_seen_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX events_unreadable ON events (seq) WHERE state = 'unreadable';

-- Bodies are large and rarely read: kept out of the table that lists read.
CREATE TABLE bodies (
    seq  INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
    body BLOB NOT NULL               -- as it came, link signatures replaced by a marker
) STRICT;

-- What carries a signature stands in two tables of its own and is deleted as
-- soon as nothing needs it.

CREATE TABLE links (
    seq INTEGER PRIMARY KEY REFERENCES shipments (seq) ON DELETE CASCADE,
    url TEXT NOT NULL                -- byte for byte: re-encoding a query breaks its signature
) STRICT;

CREATE TABLE unread (
    seq  INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
    body BLOB NOT NULL               -- of an event that could not be read, as it came
) STRICT;

CREATE TABLE shipments (
    seq              INTEGER PRIMARY KEY,
    id               TEXT    NOT NULL UNIQUE,
    environment      TEXT    NOT NULL,
    source           TEXT    NOT NULL CHECK (source IN ('event', 'queue', 'package')),
    event_id         TEXT    NOT NULL,
    identity         TEXT    NOT NULL,
    entity           TEXT    NOT NULL,
    legal_entity     TEXT    NOT NULL,
    execution_id     TEXT    NOT NULL,
    definition_group TEXT    NOT NULL,
    expected_rows    INTEGER,
    order_at         INTEGER NOT NULL,
    order_no         INTEGER NOT NULL,
    link_path        TEXT    NOT NULL,           -- host and blob path, never the query
    held             INTEGER NOT NULL DEFAULT 0, -- 1: its exports are parked when it is opened (a backlog)
    deadline         INTEGER NOT NULL,           -- when the link says it dies; orders work, decides nothing
    state            TEXT    NOT NULL CHECK (state IN ('pending', 'fetching', 'waiting', 'expired', 'fetched', 'settled', 'parked')),
    reason           TEXT    NOT NULL DEFAULT '',
    detail           TEXT    NOT NULL DEFAULT '',
    due_at           INTEGER NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,
    interrupted      INTEGER NOT NULL DEFAULT 0,
    owner            TEXT    NOT NULL DEFAULT '',
    lease_until      INTEGER NOT NULL DEFAULT 0,
    lent             INTEGER NOT NULL DEFAULT 0, -- 1: a fresher link came since the last claim
    mark_etag        TEXT    NOT NULL DEFAULT '',
    mark_offset      INTEGER NOT NULL DEFAULT 0,
    raw_file         TEXT    NOT NULL DEFAULT '', -- below the state folder; '' while nothing durable is here
    raw_bytes        INTEGER NOT NULL DEFAULT 0,
    raw_sha256       TEXT    NOT NULL DEFAULT '',
    received_at      INTEGER NOT NULL,
    fetched_at       INTEGER,
    opened_at        INTEGER,
    settled_at       INTEGER,
    raw_removed_at   INTEGER
) STRICT;

CREATE INDEX shipments_due    ON shipments (environment, deadline, due_at) WHERE state IN ('pending', 'waiting');
CREATE INDEX shipments_urgent ON shipments (deadline, due_at)      WHERE state IN ('pending', 'waiting');
CREATE INDEX shipments_wake   ON shipments (due_at)                WHERE state IN ('pending', 'waiting');
CREATE INDEX shipments_unopen ON shipments (seq)                   WHERE state = 'fetched' AND opened_at IS NULL;
CREATE INDEX shipments_open   ON shipments (seq)                   WHERE state NOT IN ('settled');
CREATE INDEX shipments_raw    ON shipments (settled_at)            WHERE raw_file <> '' AND raw_removed_at IS NULL;

CREATE TABLE exports (
    seq           INTEGER PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    shipment_id   TEXT    NOT NULL,
    environment   TEXT    NOT NULL,
    member        TEXT    NOT NULL,              -- data file in the package; '' for a bare file
    entity        TEXT    NOT NULL,
    target_entity TEXT    NOT NULL,
    legal_entity  TEXT    NOT NULL,
    refresh_type  TEXT    NOT NULL,
    project       TEXT    NOT NULL,
    flow          TEXT    NOT NULL,
    notes         TEXT    NOT NULL DEFAULT '',   -- what is worth knowing and stops nothing
    order_at      INTEGER NOT NULL,
    order_no      INTEGER NOT NULL,
    expected_rows INTEGER,
    state         TEXT    NOT NULL CHECK (state IN ('open', 'landed', 'parked', 'skipped')),
    reason        TEXT    NOT NULL DEFAULT '',
    detail        TEXT    NOT NULL DEFAULT '',
    rows          INTEGER NOT NULL DEFAULT 0,
    bad_rows      INTEGER NOT NULL DEFAULT 0,
    received_at   INTEGER NOT NULL,
    landed_at     INTEGER,
    UNIQUE (shipment_id, member)
) STRICT;

CREATE INDEX exports_received ON exports (received_at);
CREATE INDEX exports_entity ON exports (entity COLLATE NOCASE, seq);
CREATE INDEX exports_open   ON exports (seq) WHERE state IN ('open', 'parked');

CREATE TABLE deliveries (
    seq           INTEGER PRIMARY KEY,
    export_id     TEXT    NOT NULL,
    output        TEXT    NOT NULL,
    flow          TEXT    NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('ready', 'running', 'waiting', 'delivered', 'parked')),
    reason        TEXT    NOT NULL DEFAULT '',
    detail        TEXT    NOT NULL DEFAULT '',
    due_at        INTEGER NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    interrupted   INTEGER NOT NULL DEFAULT 0,
    owner         TEXT    NOT NULL DEFAULT '',
    lease_until   INTEGER NOT NULL DEFAULT 0,
    path          TEXT    NOT NULL DEFAULT '',
    manifest_path TEXT    NOT NULL DEFAULT '',
    rows          INTEGER NOT NULL DEFAULT 0,
    bad_rows      INTEGER NOT NULL DEFAULT 0,
    bytes         INTEGER NOT NULL DEFAULT 0,
    sha256        TEXT    NOT NULL DEFAULT '',
    delivered_at  INTEGER,
    UNIQUE (export_id, output)
) STRICT;

CREATE INDEX deliveries_due  ON deliveries (seq)    WHERE state IN ('ready', 'waiting');
CREATE INDEX deliveries_wake ON deliveries (due_at) WHERE state IN ('ready', 'waiting');
CREATE INDEX deliveries_live ON deliveries (seq)    WHERE state = 'running';

CREATE TABLE checkpoints (
    environment  TEXT    NOT NULL,
    flow         TEXT    NOT NULL,
    entity       TEXT    NOT NULL,
    legal_entity TEXT    NOT NULL,
    output       TEXT    NOT NULL,
    highest_at   INTEGER NOT NULL,
    highest_no   INTEGER NOT NULL,
    export_id    TEXT    NOT NULL,               -- the export that holds the highest key
    exports      INTEGER NOT NULL,
    rows         INTEGER NOT NULL,
    last_rows    INTEGER NOT NULL,               -- rows of the export that was last delivered
    delivered_at INTEGER NOT NULL,               -- when an export of this line was last delivered
    PRIMARY KEY (environment, flow, entity, legal_entity, output)
) STRICT, WITHOUT ROWID;

-- Append-only: one row for each transition, written in its transaction.
CREATE TABLE journal (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    shipment_id TEXT    NOT NULL DEFAULT '',
    from_state  TEXT    NOT NULL DEFAULT '',
    to_state    TEXT    NOT NULL,
    reason      TEXT    NOT NULL DEFAULT '',
    detail      TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX journal_shipment ON journal (shipment_id, seq) WHERE shipment_id <> '';
CREATE INDEX journal_subject  ON journal (subject, seq);
