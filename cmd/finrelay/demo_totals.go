package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"finrelay/state"
)

// checkTotals compares the ledger's own numbers, and the output as a whole,
// with what was sent.
func (d *demo) checkTotals(ctx context.Context, parcels []demoParcel) (problems []string, err error) {
	var events, person, rows int64
	landed := 0
	for i, c := range d.cases {
		if !c.again {
			events++
		}
		for _, w := range c.want {
			switch {
			case w.known:
			case w.state == state.Landed:
				landed++
				rows += int64(len(parcels[i].tables[or(w.entity, c.entity)].Rows))
			case w.state == state.Parked, w.state == state.Expired:
				person++
			}
		}
	}
	status, err := d.client.Status(ctx, "")
	if err != nil {
		return nil, err
	}
	var delivered int64
	for _, l := range status.Lines {
		delivered += l.Rows
	}
	list, err := d.client.Events(ctx, state.Filter{Limit: -1})
	if err != nil {
		return nil, err
	}
	for _, n := range []struct {
		what      string
		got, want int64
	}{
		{"events in the ledger", int64(len(list)), events},
		{"exports that need a person", status.NeedPerson, person},
		{"exports on the way", status.OnTheWay, 0},
		{"rows delivered", delivered, rows},
	} {
		if n.got != n.want {
			problems = append(problems, fmt.Sprintf("%s: %d, want %d", n.what, n.got, n.want))
		}
	}
	return append(problems, d.checkTree(landed)...), nil
}

// checkTree: the output holds a data file and a manifest for each export that
// landed, and nothing else but its marker, which consumers do not see.
func (d *demo) checkTree(landed int) (problems []string) {
	found := map[string]int{}
	err := filepath.WalkDir(d.path("out"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name := e.Name()
		if strings.HasPrefix(name, ".finrelay-output-") {
			return nil
		}
		kind := name[strings.IndexByte(name, '.')+1:]
		found[kind]++
		return nil
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	if len(found) != 2 || found["jsonl"] != landed || found["jsonl.manifest.json"] != landed {
		problems = append(problems, fmt.Sprintf("files in %s by ending: %v; want %d of jsonl, a manifest each, and nothing else", d.path("out"), found, landed))
	}
	return problems
}

// checkSecrets: a link's signature opens a company's data to whoever reads it,
// so neither log nor output may hold one.
func (d *demo) checkSecrets() (problems []string) {
	err := filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if e != nil && e.Name() == "state" {
				return fs.SkipDir // the ledger keeps the links that it still needs
			}
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && bytes.Contains(data, []byte("sig=")) {
			problems = append(problems, path+" holds a link's signature")
		}
		return err
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}
