package flows

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"finrelay/exporter/outputs"
	"finrelay/state"
)

// memory takes rows and keeps what is committed.
type memory struct {
	began     int
	rows, set strings.Builder
	committed string
	fails     error
}

func (m *memory) Block(lines []byte, _ int) error { m.rows.Write(lines); return m.fails }
func (m *memory) BadRow(line []byte) error        { m.set.Write(line); return nil }
func (m *memory) Abort() error                    { return nil }
func (m *memory) begin() (outputs.Writer, error) {
	m.began++
	m.rows.Reset()
	m.set.Reset()
	return m, nil
}
func (m *memory) Commit(context.Context, outputs.Facts) (outputs.Receipt, error) {
	m.committed = m.rows.String()
	return outputs.Receipt{}, nil
}

// A flow that is tried judges a file as its deliveries do, without a ledger.
func TestTry(t *testing.T) {
	r, err := New(nil, Config{Flows: []Flow{
		{Name: "strict", Entities: []string{"Price*"}, OnZeroRows: ParkIt},
		{Name: "lenient", TargetEntities: []string{"PriceEntity"}, OnBadRows: LandIt, OnZeroRows: OmitIt},
	}})
	if err != nil {
		t.Fatal(err)
	}
	// So many rows that they are out before the first record of the composite comes.
	const before = 20_000
	late := "<D>" + strings.Repeat("<R><ID>1</ID></R>", before) + "<R><ID>2</ID><L><A>x</A></L></R></D>"
	for _, tt := range []struct {
		flow, data string
		reason     state.Reason
		detail     string
		rows       string // committed
		places     int
		began      int
	}{
		{"strict", "A,B\n1,2\n", "", "", `{"A":"1","B":"2"}` + "\n", 0, 1},
		{"strict", "A,B\n1,2\n3\n", state.ReasonBadRows, "1 of 2 records", "", 1, 1},
		{"strict", "A,B\n", state.ReasonZeroRows, "no rows", "", 0, 1},
		{"strict", "", state.ReasonEmptyFile, "", "", 0, 1},
		{"strict", "<D><R>", state.ReasonMalformed, "file:1:", "", 0, 1},
		{"lenient", "A,B\n1,2\n3\n", "", "", `{"A":"1","B":"2"}` + "\n", 1, 1},
		{"lenient", "A,B\n", "", "", "", 0, 1},
		{"lenient", late, "", "", strings.Repeat(`{"ID":"1","L":[]}`+"\n", before) + `{"ID":"2","L":[{"A":"x"}]}` + "\n", 0, 2},
	} {
		out := &memory{}
		opened := 0
		trial, err := r.Try(t.Context(), tt.flow, TrialFile{Name: "file", TempFolder: t.TempDir(), Open: func() (io.ReadCloser, error) {
			opened++
			return io.NopCloser(strings.NewReader(tt.data)), nil
		}, Begin: out.begin})
		if err != nil || trial.Reason != tt.reason || !strings.Contains(trial.Detail, tt.detail) || out.committed != tt.rows ||
			len(trial.Places) != tt.places || opened != tt.began || out.began != tt.began {
			t.Errorf("%s on %.40q: %v, %+v; committed %.80q after %d passes", tt.flow, tt.data, err, trial, out.committed, out.began)
		}
	}

	full := errors.New("no space left")
	file := TrialFile{Name: "file", Begin: (&memory{fails: full}).begin, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("A\n1\n")), nil
	}}
	if _, err := r.Try(t.Context(), "strict", file); !errors.Is(err, full) {
		t.Errorf("an output that fails says nothing of the file: %v", err)
	}
	file.Open = func() (io.ReadCloser, error) { return nil, fs.ErrPermission }
	if _, err := r.Try(t.Context(), "strict", file); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file that cannot be opened: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := r.Try(stopped, "strict", file); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	for name, want := range map[string]string{"Prices": "", "Vendors": `entity "Vendors" is not in Price*`} {
		if got := r.FlowTakes("strict", name, ""); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := r.FlowTakes("lenient", "Vendors", "PriceEntity"); got != "" {
		t.Errorf("by its other name: %q", got)
	}
}
