-- +goose Up

-- An export that came another way and may hold the same rows.
ALTER TABLE exports ADD COLUMN twin TEXT NOT NULL DEFAULT '';
