package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	entities = 100
	span     = 300 * 24 * time.Hour // below the time identities are kept
)

// copyRows adds n copies of the original to a ledger that nobody has open.
func copyRows(ctx context.Context, file string, o original, n int) (err error) {
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: file}).EscapedPath()+"?_synchronous=OFF&_journal_mode=OFF&_cache_size=-1000000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // temporary tables belong to a connection
	c := copier{ctx: ctx, db: db, original: o, n: n}
	indexes, err := c.dropIndexes()
	if err != nil {
		return err
	}
	tables, err := c.names(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if err := c.table(table); err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	for _, create := range append(indexes, "PRAGMA journal_mode = WAL") {
		if _, err := db.ExecContext(ctx, create); err != nil {
			return fmt.Errorf("%s: %w", create, err)
		}
	}
	return nil
}

type copier struct {
	ctx      context.Context
	db       *sql.DB
	original original
	n        int
}

func (c *copier) names(query string, args ...any) (all []string, err error) {
	rows, err := c.db.QueryContext(c.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// dropIndexes drops the indexes that can be made again, and returns how: an
// index sorted once is made in a fraction of the time.
func (c *copier) dropIndexes() ([]string, error) {
	creates, err := c.names(`SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	names, err := c.names(`SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := c.db.ExecContext(c.ctx, "DROP INDEX "+name); err != nil {
			return nil, err
		}
	}
	return creates, nil
}

// column is how a copy differs from the original in one column: an expression
// over the original's row t and the number of the copy, n.i.
type column struct{ name, expr string }

func (c *copier) table(name string) error {
	if name == "environments" {
		return nil // there is one, however many exports it has
	}
	copies, first := c.n, 1
	if name == "checkpoints" { // one a line of data, not one an export
		copies, first = min(entities, c.n), max(1, c.n-entities+1)
	}
	if _, err := c.db.ExecContext(c.ctx, "CREATE TEMP TABLE originals AS SELECT * FROM "+name); err != nil {
		return err
	}
	columns, err := c.columns(name)
	if err != nil {
		return err
	}
	var names, exprs []string
	for _, col := range columns {
		names, exprs = append(names, col.name), append(exprs, col.expr)
	}
	// CROSS JOIN keeps the order: copy by copy, each as the original's rows came.
	query := fmt.Sprintf(`INSERT INTO %s (%s)
		WITH RECURSIVE n (i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		SELECT %s FROM n CROSS JOIN originals t`,
		name, strings.Join(names, ", "), first, first+copies-1, strings.Join(exprs, ", "))
	if _, err := c.db.ExecContext(c.ctx, query); err != nil {
		return err
	}
	_, err = c.db.ExecContext(c.ctx, "DROP TABLE originals")
	return err
}

func (c *copier) columns(table string) ([]column, error) {
	rows, err := c.db.QueryContext(c.ctx, `SELECT name, type FROM pragma_table_info(?)`, table)
	if err != nil {
		return nil, err
	}
	type declared struct{ name, kind string }
	var all []declared
	for rows.Next() {
		var d declared
		if err := rows.Scan(&d.name, &d.kind); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, d)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	var columns []column
	for _, d := range all {
		expr, err := c.expr(table, d.name, d.kind)
		if err != nil {
			return nil, err
		}
		columns = append(columns, column{d.name, expr})
	}
	return columns, nil
}

func (c *copier) expr(table, name, kind string) (string, error) {
	switch {
	case name == "seq":
		return "t.seq + n.i * (SELECT max(seq) - min(seq) + 1 FROM originals)", nil
	case name == "rec_id":
		return "t.rec_id + n.i", nil
	case table == "checkpoints" && (name == "exports" || name == "rows"):
		return fmt.Sprintf("t.%s * %d", name, max(1, c.n/entities)), nil
	case name == "at" || strings.HasSuffix(name, "_at") || name == "deadline":
		// The last copy is the youngest, and as old as the original.
		step := span.Milliseconds() / int64(c.n)
		return fmt.Sprintf("iif(t.%[1]s > 0, t.%[1]s - (%[2]d - n.i) * %[3]d, t.%[1]s)", name, c.n, step), nil
	case kind == "TEXT" || kind == "BLOB":
		return c.renamed(name, kind)
	}
	return "t." + name, nil
}

// renamed replaces what is the original's own in a column, wherever in the
// value it stands; only what the column holds, for each costs on a million rows.
func (c *copier) renamed(name, kind string) (string, error) {
	o := c.original
	// Multiplying by an odd number modulo 2^32 visits every number once, out of order.
	const id = "printf('%08x%08x', (n.i * 2654435761) % 4294967296, n.i)"
	const number = "printf('%012X', 17592186044416 + n.i)" // 2^44 on: not those of the original, nor of load
	expr := "t." + name
	if kind == "BLOB" {
		expr = "CAST(" + expr + " AS TEXT)"
	}
	text := expr
	for _, part := range []struct{ old, by string }{
		{o.event, "'ev_' || " + id},
		{o.shipment, "'sh_' || " + id},
		{o.export, "'ex_' || " + id},
		{o.number, number},
		{o.entity, fmt.Sprintf("'%s ' || (n.i %% %d)", o.entity, entities)},
	} {
		var holds bool
		query := fmt.Sprintf("SELECT coalesce(max(instr(%s, ?)), 0) > 0 FROM originals t", text)
		if err := c.db.QueryRowContext(c.ctx, query, part.old).Scan(&holds); err != nil {
			return "", err
		}
		if holds {
			expr = fmt.Sprintf("replace(%s, '%s', %s)", expr, part.old, part.by)
		}
	}
	if kind == "BLOB" {
		expr = "CAST(" + expr + " AS BLOB)"
	}
	return expr, nil
}
