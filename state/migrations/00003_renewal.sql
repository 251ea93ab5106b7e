-- +goose Up

-- An expired shipment whose execution is known can ask FinOps for a fresh link.
ALTER TABLE shipments ADD COLUMN renew_at INTEGER;                     -- when to ask; NULL: not, or not any more
ALTER TABLE shipments ADD COLUMN renewals INTEGER NOT NULL DEFAULT 0;  -- how often since a person looked
ALTER TABLE shipments ADD COLUMN whole_package INTEGER NOT NULL DEFAULT 0; -- 1: the link leads to all entities of the execution

CREATE INDEX shipments_renew ON shipments (renew_at) WHERE state = 'expired' AND renew_at IS NOT NULL;
