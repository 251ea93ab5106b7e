-- +goose Up

-- Exports that came by different ways are the same when they are of one
-- execution and one entity.
CREATE INDEX shipments_execution ON shipments (environment, execution_id) WHERE execution_id <> '';

-- How far an expired shipment has come on the way to its rows.
ALTER TABLE shipments ADD COLUMN rung TEXT NOT NULL DEFAULT 'link' CHECK (rung IN ('link', 'queue', 'run'));
ALTER TABLE shipments ADD COLUMN superseding TEXT NOT NULL DEFAULT ''; -- the full run, by our id, whose rows shall take the place of the lost ones

-- Since when an execution that has ended gives no link to its package.
ALTER TABLE executions ADD COLUMN linkless_since INTEGER;
