package flows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"finrelay/dmf/sim"
	"finrelay/exporter/convert"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// lateOrders is a composite of some MB of which the last order alone has lines,
// one of them with charges.
func lateOrders(orders int) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><Document>`)
	for i := range orders - 1 {
		fmt.Fprintf(&b, "<ORDERENTITY><ID>%07d</ID><NOTE>%s</NOTE><LINES/></ORDERENTITY>\n", i, strings.Repeat("some text ", 8))
	}
	b.WriteString("<ORDERENTITY><ID>last</ID><LINES><LINE><ITEM>a</ITEM></LINE><LINE><ITEM>b</ITEM><CHARGE><CODE>F</CODE></CHARGE></LINE></LINES><TAX><CODE>T</CODE></TAX></ORDERENTITY></Document>")
	return b.Bytes()
}

func (w *rig) composite(data []byte, rows int) Receipt {
	w.t.Helper()
	member := sim.Member{Entity: "Orders", TargetEntity: "OrderEntity", Ext: "xml", SourceFormat: "XML-Element", Columns: []string{"ID"}, Rows: rows, Data: data}
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Orders", Members: []sim.Member{member}})
	w.settle()
	return receipt
}

// TestLateRecords: every order of either output has its lines, and what is told
// of them is told once.
func TestLateRecords(t *testing.T) {
	t.Parallel()
	const orders = 20_000
	w := newRig(t)
	cfg := w.takesAll()
	second, err := outputs.NewFiles(outputs.FilesOptions{Name: "array", Folder: t.TempDir(), Format: outputs.FormatJSON})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Outputs["array"] = second
	cfg.Flows[0].Outputs = []string{"files", "array"}
	cfg.Flows[0].OnRowMismatch = ParkIt
	w.open(cfg)
	steps := make(chan string, 1000)
	w.onTrace(func(step string) { steps <- step })
	w.start()
	receipt := w.composite(lateOrders(orders), orders)
	e := w.only(receipt.ShipmentID)
	w.wantExport(e, state.Landed, "", LandedHere)
	d, err := w.db.Deliveries(t.Context(), e.ID)
	if err != nil || len(d) != 2 {
		t.Fatalf("deliveries %+v, %v", d, err)
	}
	for _, d := range d {
		data, err := os.ReadFile(d.Path)
		if d.Output == "files" {
			data = append([]byte("["), append(bytes.Join(bytes.Split(bytes.TrimSpace(data), newline), []byte(",")), ']')...)
		}
		if err != nil || !json.Valid(data) || bytes.Count(data, []byte(`"TAX":[`)) != orders || d.Rows != orders || d.Attempts != 1 {
			t.Errorf("%v; %d bytes of %+v", err, len(data), d)
		}
	}
	rows := w.rows(e)
	if len(rows) != orders {
		t.Fatalf("%d rows landed", len(rows))
	}
	for i, row := range rows[:orders-1] {
		if got := fmt.Sprint(row["LINES"], row["TAX"]); got != "[map[LINE:[]]] []" {
			t.Fatalf("row %d has %s", i, got)
		}
	}
	if got, want := fmt.Sprint(rows[orders-1]["LINES"]), "[map[LINE:[map[CHARGE:[] ITEM:a] map[CHARGE:[map[CODE:F]] ITEM:b]]]]"; got != want {
		t.Errorf("the last row has %s, want %s", got, want)
	}
	m := w.manifest(e)
	got, want := fmt.Sprintf("%v %v %v", m["rows"], m["columns"], m["warnings"]), "20000 [ID NOTE LINES TAX] []"
	if got != want || m["source_bytes"] != float64(len(lateOrders(orders))) {
		t.Errorf("the manifest says %s and %v bytes, want %s", got, m["source_bytes"], want)
	}
	w.shut()
	close(steps)
	count := map[string]int{}
	for step := range steps {
		count[step]++
	}
	if count["convert"] != 2 || count["convert-again"] != 2 || count["commit"] != 2 {
		t.Errorf("steps %v", count)
	}
	for path := range w.tree() {
		if strings.Contains(path, ".tmp") {
			t.Errorf("left behind: %s", path)
		}
	}
}

var newline = []byte{'\n'}

// TestLateRecordsBehindAShape: a program that needs the lines of each order
// sees them; what failed in a first pass alone is no bad row.
func TestLateRecordsBehindAShape(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Flows[0].OnBadRows = LandIt
	cfg.Flows[0].Shape = convert.Shape{
		Columns:     []convert.Column{{Name: "NOTE", Drop: true}},
		Transform:   "select(.TAX | length >= 0 and (.[0:1] | type) == \"array\") | {id: .ID, lines: [.LINES[].LINE[].ITEM]}",
		OnTypeError: convert.TypeErrorKeep,
	}
	w.run(cfg)
	receipt := w.composite(lateOrders(2000), 2000)
	e := w.only(receipt.ShipmentID)
	w.wantExport(e, state.Landed, "", LandedHere)
	rows := w.rows(e)
	if m := w.manifest(e); len(rows) != 2000 || m["rows"] != 2000.0 || m["rows_set_aside"] != 0.0 || fmt.Sprint(m["warnings"]) != "[]" {
		t.Fatalf("%d rows; the manifest says %v", len(rows), m)
	}
	if got, want := fmt.Sprint(rows[0], rows[1999]), "map[id:0000000 lines:[]] map[id:last lines:[a b]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLateRecordsOfABareFile: the raw file itself is read twice, and bad rows
// are set aside once.
func TestLateRecordsOfABareFile(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Flows[0].OnBadRows = LandIt
	cfg.Flows[0].Read.Children = []string{"LINE/CHARGE", "TAG"}
	w.run(cfg)
	doc := "<D><R><ID>1</ID></R><X/><R><ID>2</ID><LINE/></R><R><LINE ITEM='a'/><TAX CODE='T'/></R></D>"
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Orders", Format: sim.XMLAttribute, Data: []byte(doc)})
	w.settle()
	only := w.only(receipt.ShipmentID)
	w.wantExport(only, state.Landed, "", LandedHere)
	var rows, bad string
	for path, data := range w.tree() {
		switch {
		case strings.HasSuffix(path, ".bad-rows"):
			bad = data
		case strings.HasSuffix(path, ".jsonl"):
			rows = data
		}
	}
	want := `{"ID":"1","LINE":[],"TAG":[],"TAX":[]}
{"ID":"2","LINE":[{"CHARGE":[]}],"TAG":[],"TAX":[]}
{"LINE":[{"@ITEM":"a","CHARGE":[]}],"TAX":[{"@CODE":"T"}],"TAG":[]}
`
	if rows != want || strings.Count(bad, "\n") != 1 || only.BadRows != 1 {
		t.Errorf("landed\n%swant\n%sset aside %d: %s", rows, want, only.BadRows, bad)
	}
}
