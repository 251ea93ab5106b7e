package flows

import (
	"fmt"
	"strings"
	"testing"

	"finrelay/dmf/sim"
	"finrelay/exporter/convert"
	"finrelay/state"
)

// ordersTable holds one value that is no number, and one row that a program
// leaves out.
var ordersTable = sim.Table{Label: "Orders", Target: "OrderEntity", Columns: []string{"ID", "QTY", "AT"}, Rows: [][]string{
	{"001", "7", "2026-03-02 09:15:42"},
	{"002", "many", "2026-03-02 09:15:43"},
	{"003", "0", ""},
}}

func (w *rig) shapedExport(change func(*Flow)) (state.Export, string) {
	w.t.Helper()
	cfg := w.takesAll()
	cfg.Flows = []Flow{{Name: "orders", Outputs: []string{"files"}, OnRowMismatch: ParkIt, Shape: convert.Shape{
		Columns: []convert.Column{
			{Name: "QTY", Type: convert.TypeInteger, Rename: "quantity"},
			{Name: "AT", Type: convert.TypeTime, Zone: "Europe/Berlin", OmitEmpty: true},
			{Name: "UNIT", Drop: true},
		},
		Constants: []convert.Constant{{Name: "company", Value: "usmf"}},
	}}}
	change(&cfg.Flows[0])
	w.run(cfg)
	member := w.fo.Member(sim.CSVUTF8BOM, ordersTable)
	receipt, _, _ := w.export(sim.ExportSpec{Entity: ordersTable.Label, Members: []sim.Member{member}})
	w.settle()
	e := w.only(receipt.ShipmentID)
	for path, data := range w.tree() {
		if strings.HasSuffix(path, ".jsonl") && !strings.Contains(path, "bad") {
			return e, data
		}
	}
	return e, ""
}

// setAside gives the file of rows that are none.
func (w *rig) setAside() string {
	w.t.Helper()
	for path, data := range w.tree() {
		if strings.HasSuffix(path, ".bad-rows") {
			return data
		}
	}
	w.t.Error("no file of rows set aside")
	return ""
}

func TestShapeKeepsWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	e, rows := w.shapedExport(func(f *Flow) {
		f.Shape.OnTypeError = convert.TypeErrorKeep
		f.Shape.Transform = "select(.quantity != 0)"
	})
	w.wantExport(e, state.Landed, "", LandedHere)
	want := `{"ID":"001","quantity":7,"AT":"2026-03-02T09:15:42+01:00","company":"usmf"}` + "\n" +
		`{"ID":"002","quantity":"many","AT":"2026-03-02T09:15:43+01:00","company":"usmf"}` + "\n"
	if rows != want {
		t.Errorf("got %swant %s", rows, want)
	}
	m := w.manifest(e)
	if got, want := fmt.Sprint(m["columns"], m["rows"], m["rows_set_aside"]), "[ID quantity AT company] 2 0"; got != want {
		t.Errorf("the manifest says %s, want %s", got, want)
	}
	for _, note := range []string{
		"the transform left 1 rows out", "1 values of column QTY did not fit its type and were kept as text",
		"flow orders has settings for columns that the file lacks: UNIT",
	} {
		if !strings.Contains(fmt.Sprint(m["warnings"]), note) {
			t.Errorf("the manifest's warnings are %v, want %q among them", m["warnings"], note)
		}
	}
}

// TestShapeParks: rows that do not fit are bad rows, and follow the flow's
// policy for those. The rows announced are compared with the rows read.
func TestShapeParks(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	e, rows := w.shapedExport(func(*Flow) {})
	w.wantExport(e, state.Parked, state.ReasonBadRows, SafeHere)
	if rows != "" || !strings.Contains(e.Detail, `Orders.csv:3:5: column QTY: "many": no whole number`) || !strings.Contains(e.Detail, "1 of 3 records") {
		t.Errorf("rows %q, detail %s", rows, e.Detail)
	}
	w = newRig(t)
	e, rows = w.shapedExport(func(f *Flow) { f.OnBadRows = LandIt })
	w.wantExport(e, state.Landed, "", LandedHere)
	if strings.Count(rows, "\n") != 2 || strings.Contains(rows, "many") {
		t.Errorf("landed %s", rows)
	}
	if bad := w.setAside(); !strings.HasPrefix(bad, `{"line":3,"column":5,"record":2,"error":"column QTY: \"many\": no whole number","raw":"002,many,`) {
		t.Errorf("set aside %s", bad)
	}
	if m := w.manifest(e); m["rows"] != 2.0 || m["rows_set_aside"] != 1.0 {
		t.Errorf("the manifest says %v rows and %v bad ones", m["rows"], m["rows_set_aside"])
	}
}

// TestShapeThatCannotBe is refused when the relay is made, and names clash with
// a file's when its rows are read: parked, not tried again.
func TestShapeThatCannotBe(t *testing.T) {
	t.Parallel()
	f := Flow{Name: "a", Shape: convert.Shape{Transform: "{"}}
	if err := f.compile(); err == nil || !strings.Contains(err.Error(), "flow a: transform: ") {
		t.Errorf("got %v", err)
	}
	w := newRig(t)
	e, _ := w.shapedExport(func(f *Flow) { f.Shape = convert.Shape{Columns: []convert.Column{{Name: "ID", Rename: "QTY"}}} })
	w.wantExport(e, state.Parked, state.ReasonMalformed, SafeHere)
	if !strings.Contains(e.Detail, `columns "ID" and "QTY" would both be "QTY"`) {
		t.Errorf("detail %s", e.Detail)
	}
}
