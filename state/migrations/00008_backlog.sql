-- +goose Up

-- A queue that held messages before finrelay, until it is first found empty.
ALTER TABLE queues ADD COLUMN held_back_at INTEGER;            -- when a message was last handed out and left there, because nobody had said what to do
ALTER TABLE queues ADD COLUMN backlog TEXT NOT NULL DEFAULT ''; -- what was said: land or park
