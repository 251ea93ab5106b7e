package dmf

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzDecodeBusinessEvents checks that no body makes the reader panic, that it
// takes nothing encoding/json would refuse, and that an event's own object
// decodes to the same event again.
func FuzzDecodeBusinessEvents(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(eventFiles, "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in %s: %v", eventFiles, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	names := DefaultFieldNames()
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := DecodeBusinessEvents(body, names)
		if err != nil {
			e, ok := errors.AsType[*EventError](err)
			if !ok || e.Offset < 0 || e.Offset > 3*int64(len(body)) {
				t.Fatalf("got error %v (%T)", err, err)
			}
			return
		}
		if text := textOf(body); utf8.ValidString(text) && !json.Valid([]byte(text)) {
			t.Fatalf("took what is not JSON: %q", body)
		}
		if len(events) == 0 {
			t.Fatal("neither events nor an error")
		}
		for _, e := range events {
			checkEvent(t, e, names)
		}
	})
}

func checkEvent(t *testing.T, e BusinessEvent, names FieldNames) {
	t.Helper()
	for _, text := range []string{e.BusinessEventID, e.EventID, e.EntityName, e.DownloadURL, string(e.ExecutionID)} {
		if !utf8.ValidString(text) {
			t.Errorf("not UTF-8: %q", text)
		}
	}
	if Fold(e.EventID) != e.EventID {
		t.Errorf("EventID %q is not folded", e.EventID)
	}
	if _, err := json.Marshal(e); err != nil {
		t.Errorf("cannot be written: %v", err)
	}
	again, err := DecodeBusinessEvents(e.Raw, names)
	if err != nil || len(again) != 1 {
		t.Fatalf("Raw decodes to %d events, %v: %s", len(again), err, e.Raw)
	}
	e.Warnings = nil // the first reading may have replaced bytes
	again[0].Warnings = nil
	if got, want := show(again), show([]BusinessEvent{e}); !strings.EqualFold(got, want) {
		t.Errorf("Raw decodes to\n%s\nwant\n%s", got, want)
	}
}
