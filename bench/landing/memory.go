//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"finrelay/bench/blobs"
	"finrelay/bench/customers"
	"finrelay/bench/figures"
	"finrelay/bench/load"
	"finrelay/bench/target"
)

const (
	goalAnon    = 48 << 20 // bytes
	packageWait = 15 * time.Minute
)

func memory(ctx context.Context, opt options, text *strings.Builder) error {
	table := figures.Table{Head: []string{"CSV in the package", "rows", "landed", "peak anonymous memory", "idle", "2xx to landed", "goal"}}
	for _, size := range []figures.Bytes{opt.small, opt.large} {
		fmt.Fprintf(os.Stderr, "package of %s\n", size)
		cells, err := landPackage(ctx, opt, size)
		if err != nil {
			return fmt.Errorf("package of %s: %w", size, err)
		}
		table.Add(cells...)
	}
	fmt.Fprintf(text, "A data package, downloaded from loopback, unpacked, converted and made durable:\n\n%s\n", &table)
	return nil
}

func landPackage(ctx context.Context, opt options, size figures.Bytes) (cells []string, err error) {
	folder, err := os.MkdirTemp(opt.work, "package")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	archive := filepath.Join(folder, "package.zip")
	rows, err := writeFile(archive, func(f *os.File) (int, error) {
		return customers.WritePackage(f, customers.CSV, int64(size), 1)
	})
	if err != nil {
		return nil, err
	}
	store, err := blobs.File(archive)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	relay := target.Finrelay{Bin: opt.finrelay, Folder: folder}
	server, err := relay.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	idle, err := server.Anon()
	if err != nil {
		return nil, err
	}
	peak := server.WatchAnon()
	events := load.Events{Link: load.SignedLinks(store.URL, ".zip", time.Now()), At: time.Now(), Rows: int64(rows), Entity: customers.Entity}
	if err := load.One(ctx, server.Door(), events, 1); err != nil {
		return nil, err
	}
	answered := time.Now()
	wait, cancel := context.WithTimeout(ctx, packageWait)
	defer cancel()
	manifest, err := awaitManifest(wait, relay.Out())
	took, highest := time.Since(answered), peak()
	if err != nil {
		return nil, err
	}
	if err := server.Stop(); err != nil {
		return nil, err
	}
	landed, err := checkLanded(manifest, rows)
	if err != nil {
		return nil, err
	}
	return []string{
		size.String(), figures.Thousands(float64(rows)), fmt.Sprintf("%.2f GB", float64(landed)/1e9),
		mebibytes(highest), mebibytes(idle), took.Round(10 * time.Millisecond).String(),
		fmt.Sprintf("≤ %s: %s", mebibytes(goalAnon), figures.Met(highest <= goalAnon)),
	}, nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// checkLanded wants the manifest and the file beside it to hold every row.
// Little memory for part of a file would be no merit.
func checkLanded(manifest string, rows int) (size int64, err error) {
	content, err := os.ReadFile(manifest)
	if err != nil {
		return 0, err
	}
	var stated struct{ Rows int }
	if err := json.Unmarshal(content, &stated); err != nil {
		return 0, fmt.Errorf("read %s: %w", manifest, err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(manifest), "*.jsonl"))
	if err != nil || len(files) != 1 {
		return 0, errors.Join(fmt.Errorf("%d files beside the manifest, want one", len(files)), err)
	}
	lines, size, err := countLines(files[0])
	if err != nil {
		return 0, err
	}
	if stated.Rows != rows || lines != rows {
		return 0, fmt.Errorf("%d rows exported, %d in the manifest, %d landed", rows, stated.Rows, lines)
	}
	return size, nil
}

func countLines(name string) (lines int, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	for buf := make([]byte, 1<<20); ; {
		n, err := f.Read(buf)
		lines += bytes.Count(buf[:n], []byte("\n"))
		size += int64(n)
		if errors.Is(err, io.EOF) {
			return lines, size, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
}
