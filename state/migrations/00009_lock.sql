-- +goose Up

-- FinOps does not tell projects apart by letter case.
DROP INDEX executions_lock;
CREATE UNIQUE INDEX executions_lock ON executions (environment, project COLLATE NOCASE) WHERE state IN ('starting', 'running', 'stuck');
