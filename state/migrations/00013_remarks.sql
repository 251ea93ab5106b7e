-- +goose Up

-- What a person should know of an export that landed all the same: words, see
-- Remark, parted by blanks. unseen are those of them that nobody has looked at.
ALTER TABLE exports ADD COLUMN remarks TEXT NOT NULL DEFAULT '';
ALTER TABLE exports ADD COLUMN unseen  TEXT NOT NULL DEFAULT '';

CREATE INDEX exports_remarked ON exports (seq) WHERE remarks <> '';
CREATE INDEX exports_unseen   ON exports (unseen, environment, state, landed_at) WHERE unseen <> '';

-- What was noted when the export was found in its shipment. notes begins with
-- it, and a rerun begins with it anew: what an earlier landing noted is over.
ALTER TABLE exports ADD COLUMN opening_notes TEXT NOT NULL DEFAULT '';
UPDATE exports SET opening_notes = notes WHERE state IN ('open', 'parked')
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.export_id = exports.id AND d.delivered_at IS NOT NULL);
