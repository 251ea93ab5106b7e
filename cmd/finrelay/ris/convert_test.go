package ris_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/text/encoding/unicode"

	"finrelay/cmd/finrelay/config"
	"finrelay/cmd/finrelay/ris"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestConvert compares with the golden files: Schedule.xml, the configuration
// made of it, and the notes.
func TestConvert(t *testing.T) {
	for _, file := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			res, err := ris.Convert(bytes.NewReader(archive.Files[0].Data), "Schedule.xml")
			if err != nil {
				t.Fatal(err)
			}
			checkResult(t, res)
			if *update {
				archive.Files = append(archive.Files[:1], txtar.File{Name: "finrelay.yaml", Data: res.YAML})
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := archive.Files[1].Data; !bytes.Equal(res.YAML, want) {
				t.Errorf("got\n%s\nwant\n%s", res.YAML, want)
			}
		})
	}
}

// checkResult holds of every result: it is a configuration, the notes stand in
// it, and no secret does.
func checkResult(t *testing.T, res ris.Result) {
	t.Helper()
	env := func(name string) (string, bool) { return "s", slices.Contains(res.Variables, name) }
	cfg, err := config.Parse("finrelay.yaml", res.YAML, env)
	if err != nil {
		t.Fatalf("not a configuration: %v\n%s", err, res.YAML)
	}
	if len(cfg.Flows) != res.Flows {
		t.Errorf("%d flows in the configuration, want %d", len(cfg.Flows), res.Flows)
	}
	for _, f := range cfg.Flows {
		ways := 0
		for _, there := range []bool{f.Queue.Activity != "", f.Project.Name != "", len(f.Projects) > 0} {
			if there {
				ways++
			}
		}
		if ways != 1 || f.Queue.Backlog != "ask" {
			t.Errorf("flow %s: activity %q, project %q, projects %q, backlog %q; want one of the first three, and the backlog asked about", f.Name, f.Queue.Activity, f.Project.Name, f.Projects, f.Queue.Backlog)
		}
	}
	// One job is one flow and one folder: no flow stands in another's way.
	for _, finding := range config.Lint(cfg, config.Facts{}) {
		left := strings.HasPrefix(finding.Message, config.Unfilled) || strings.HasSuffix(finding.Field, ".backlog")
		stands := strings.HasPrefix(finding.Field, "flows[") || strings.HasPrefix(finding.Message, "no key") // nothing sends events
		if !left && (finding.Level == config.LevelError || stands) {
			t.Errorf("lint: %s: %s", finding.Field, finding.Message)
		}
	}
	for _, n := range res.Notes {
		if !strings.Contains(string(res.YAML), "\n# - "+n+"\n") {
			t.Errorf("not in the configuration: %s", n)
		}
	}
	for _, secret := range []string{"AQAAANCM", "hunter2"} {
		if strings.Contains(string(res.YAML), secret) || strings.Contains(strings.Join(res.Notes, "\n"), secret) {
			t.Errorf("a secret came along: %s", secret)
		}
	}
}

func goldens(t testing.TB) []string {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(files) < 8 {
		t.Fatalf("golden files: %v, %v", files, err)
	}
	return files
}

// TestEncodings: what editors make of the file reads as the file does.
func TestEncodings(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "zones.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	plain := archive.Files[0].Data
	want, err := ris.Convert(bytes.NewReader(plain), "x")
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes(bytes.Replace(plain, []byte(`"utf-8"`), []byte(`"utf-16"`), 1))
	if err != nil {
		t.Fatal(err)
	}
	narrow := bytes.ReplaceAll(bytes.Replace(plain, []byte(`"utf-8"`), []byte(`"windows-1252"`), 1), []byte("ä"), []byte{0xE4})
	narrow = bytes.ReplaceAll(narrow, []byte("’"), []byte{0x92})
	for name, data := range map[string][]byte{
		"UTF-8 with mark":  append([]byte("\xEF\xBB\xBF"), plain...),
		"UTF-16 with mark": wide,
		"UTF-16, says 8":   mustWide(t, plain),
		"windows-1252":     narrow,
		"CRLF":             bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n")),
	} {
		got, err := ris.Convert(bytes.NewReader(data), "x")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(got.YAML, want.YAML) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got.YAML, want.YAML)
		}
	}
}

func mustWide(t *testing.T, text []byte) []byte {
	t.Helper()
	wide, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes(text)
	if err != nil {
		t.Fatal(err)
	}
	return wide
}

func TestNotASchedule(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "no XML"},
		"text":             {"hello", "no XML"},
		"other XML":        {"<html/>", "not the scheduler's Schedule.xml"},
		"cut":              {"<job-scheduling-data><schedule>", "not the scheduler's Schedule.xml"},
		"unknown encoding": {`<?xml version="1.0" encoding="klingon"?><job-scheduling-data/>`, "klingon"},
		"too large":        {"<job-scheduling-data>" + strings.Repeat(" ", 17<<20), "larger than 16 MiB"},
	} {
		if _, err := ris.Convert(strings.NewReader(c.text), "x"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, c.want)
		}
	}
}

// FuzzConvert: whatever the file holds, what comes out is a configuration.
func FuzzConvert(f *testing.F) {
	for _, file := range goldens(f) {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		res, err := ris.Convert(bytes.NewReader(data), "Schedule.xml")
		if err != nil || len(res.YAML) > 1<<20 {
			return // configurations end at a mebibyte
		}
		env := func(name string) (string, bool) { return "s", slices.Contains(res.Variables, name) }
		cfg, err := config.Parse("finrelay.yaml", res.YAML, env)
		if err != nil {
			t.Fatalf("not a configuration: %v\n%s", err, res.YAML)
		}
		if len(cfg.Flows) != res.Flows {
			t.Errorf("%d flows in the configuration, want %d\n%s", len(cfg.Flows), res.Flows, res.YAML)
		}
	})
}
