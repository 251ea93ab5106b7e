package flows

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"finrelay/dmf/sim"
	"finrelay/exporter/convert"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

func TestOneEventLands(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	receipt, event, blob := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 12, Format: sim.CSVUTF16LE})
	w.settle()
	e := w.only(receipt.ShipmentID)
	w.wantExport(e, state.Landed, "", LandedHere)
	w.wantRows(e, w.fo.SampleEntity("Customer groups", 12))
	m := w.manifest(e)
	sum := sha256.Sum256(blob.Bytes())
	for key, want := range map[string]any{
		"entity": "Customer groups", "legal_entity": event.LegalEntity, "rows": 12.0, "flow": "all", "environment": "prod",
		"source_bytes": float64(blob.Size()), "source_sha256": hex.EncodeToString(sum[:]), "encoding": "utf-16le",
	} {
		if m[key] != want {
			t.Errorf("the manifest's %s is %v, want %v", key, m[key], want)
		}
	}
	s := w.wantShipment(receipt.ShipmentID, state.Settled, "", LandedHere)
	if kept, err := w.db.HasLink(t.Context(), s.ID); err != nil || kept {
		t.Errorf("settled, and its link is still here: %v", err)
	}
	for path, data := range w.tree() {
		if strings.Contains(data, "sig=") {
			t.Errorf("%s holds a signature", path)
		}
	}
}

func TestPackageOfThreeEntities(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Flows = []Flow{
		{Name: "customers", Entities: []string{"Customer groups"}, Outputs: []string{"files"}},
		{Name: "units", TargetEntities: []string{w.fo.SampleEntity("Units", 1).Target}, Outputs: []string{"files"}},
	}
	w.run(cfg)
	tables := []sim.Table{w.fo.SampleEntity("Customer groups", 5), w.fo.SampleEntity("Units", 3), w.fo.SampleEntity("Vendors", 4)}
	members := []sim.Member{w.fo.Member(sim.CSVUTF8BOM, tables[0]), w.fo.Member(sim.XMLElement, tables[1]), w.fo.Member(sim.CSVSemicolon, tables[2])}
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Members: members, DefinitionGroup: "Nightly"})
	w.settle()
	all := w.exports(receipt.ShipmentID)
	if len(all) != 3 {
		t.Fatalf("%d exports\n%s", len(all), w.picture())
	}
	w.wantExport(all[0], state.Landed, "", LandedHere)
	w.wantExport(all[1], state.Landed, "", LandedHere)
	w.wantExport(all[2], state.Parked, state.ReasonNoFlow, SafeHere)
	w.wantRows(all[0], tables[0])
	w.wantRows(all[1], tables[1])
	for i, e := range all[:2] {
		m := w.manifest(e)
		sum := sha256.Sum256(members[i].Data)
		if m["source_bytes"] != float64(len(members[i].Data)) || m["source_sha256"] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: the manifest speaks of a source of %v bytes, %v; the data file has %d, %x",
				e.Entity, m["source_bytes"], m["source_sha256"], len(members[i].Data), sum)
		}
		if e.Project != "Nightly" || e.RefreshType == "" {
			t.Errorf("%s: project %q, refresh type %q", e.Entity, e.Project, e.RefreshType)
		}
	}
	w.wantShipment(receipt.ShipmentID, state.Settled, "", SafeHere)

	// A new configuration, then the button.
	cfg.Flows = append(cfg.Flows, Flow{Name: "rest", Outputs: []string{"files"}})
	w.run(cfg)
	done, err := w.relay.RerunIDs(t.Context(), []string{all[2].ID}, false, "me")
	if err != nil || len(done) != 1 || !done[0].Queued {
		t.Fatalf("rerun: %+v, %v", done, err)
	}
	w.settle()
	e := w.exports(receipt.ShipmentID)[2]
	w.wantExport(e, state.Landed, "", LandedHere)
	w.wantRows(e, tables[2])
}

func TestOddMembersDoNotHoldUpTheRest(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	good := w.fo.SampleEntity("Customer groups", 2)
	absent := w.fo.Member(sim.CSVUTF8, w.fo.SampleEntity("Units", 2))
	absent.Absent = true
	twice := w.fo.Member(sim.CSVUTF8, good)
	escape := w.fo.Member(sim.CSVUTF8, w.fo.SampleEntity("Vendors", 2))
	escape.File = "../escape.csv"
	undeclared := w.fo.Member(sim.CSVUTF8, w.fo.SampleEntity("Vendor groups", 2))
	undeclared.Undeclared = true
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Members: []sim.Member{w.fo.Member(sim.CSVUTF8, good), twice, absent, escape, undeclared}})
	w.settle()
	got := map[state.Reason]int{}
	for _, e := range w.exports(receipt.ShipmentID) {
		got[e.Reason]++
		if e.Reason == "" {
			w.wantExport(e, state.Landed, "", LandedHere)
		}
	}
	want := map[state.Reason]int{"": 2, state.ReasonDuplicate: 1, state.ReasonMissingMember: 1, state.ReasonUnsafeName: 1}
	for reason, n := range want {
		if got[reason] != n {
			t.Errorf("%d exports are %q, want %d\n%s", got[reason], reason, n, w.picture())
		}
	}
	for path := range w.tree() {
		if strings.Contains(path, "..") {
			t.Errorf("%s", path)
		}
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	ragged := func(w *rig) *sim.Table {
		table := w.fo.SampleEntity("Customer groups", 4)
		table.Rows[2] = append(table.Rows[2], "one too many")
		return &table
	}
	for _, c := range []struct {
		name   string
		spec   func(w *rig) sim.ExportSpec
		flow   Flow
		state  state.State
		reason state.Reason
		rows   int64
		bad    int64
		detail string // part of the detail or the notes
	}{
		{"a bad row parks", func(w *rig) sim.ExportSpec { return sim.ExportSpec{Table: ragged(w)} },
			Flow{}, state.Parked, state.ReasonBadRows, 3, 1, "1 of 4 records"},
		{"a bad row is set aside", func(w *rig) sim.ExportSpec { return sim.ExportSpec{Table: ragged(w)} },
			Flow{OnBadRows: LandIt}, state.Landed, "", 3, 1, "1 rows set aside, first at"},
		{"stray quotes are noted", func(*rig) sim.ExportSpec {
			return sim.ExportSpec{Data: []byte("A,B\n1,5\" pipe\n\"2\" x,3\n"), NoOfRecords: ptr(2)}
		}, Flow{}, state.Landed, "", 2, 0, "2 places with stray quotes, the first at line 2 column 4"},
		{"stray quotes are refused", func(*rig) sim.ExportSpec {
			return sim.ExportSpec{Data: []byte("A,B\n1,5\" pipe\n2,3\n"), NoOfRecords: ptr(2)}
		}, Flow{Read: convert.Options{Strict: true}}, state.Parked, state.ReasonBadRows, 1, 1, "quote inside an unquoted field"},
		{"a line of JSON Lines parks", func(*rig) sim.ExportSpec {
			return sim.ExportSpec{Data: []byte("{\"A\":1}\n{\"A\":oops}\n{\"A\":3}\n"), NoOfRecords: ptr(3)}
		}, Flow{}, state.Parked, state.ReasonBadRows, 2, 1, ":2:6: 'o' where a value must stand"},
		{"a line of JSON Lines is set aside", func(*rig) sim.ExportSpec {
			return sim.ExportSpec{Data: []byte("{\"A\":1}\n{\"A\":2}\n{\"A\":"), NoOfRecords: ptr(3)}
		}, Flow{OnBadRows: LandIt}, state.Landed, "", 2, 1, "1 rows set aside, first at"},
		{"another count warns", func(*rig) sim.ExportSpec { return sim.ExportSpec{Rows: 5, NoOfRecords: ptr(7)} },
			Flow{}, state.Landed, "", 5, 0, "announced 7 rows, the file holds 5"},
		{"another count parks", func(*rig) sim.ExportSpec { return sim.ExportSpec{Rows: 5, NoOfRecords: ptr(7)} },
			Flow{OnRowMismatch: ParkIt}, state.Parked, state.ReasonRowMismatch, 5, 0, "announced 7 rows, the file holds 5"},
		{"only a header", func(*rig) sim.ExportSpec { return sim.ExportSpec{Rows: 0} },
			Flow{OnRowMismatch: ParkIt}, state.Landed, "", 0, 0, ""},
		{"0 bytes, 3 rows announced", func(*rig) sim.ExportSpec { return sim.ExportSpec{Data: []byte{}, NoOfRecords: ptr(3)} },
			Flow{}, state.Parked, state.ReasonEmptyFile, 0, 0, "0 bytes"},
		{"0 bytes, 0 rows announced", func(*rig) sim.ExportSpec { return sim.ExportSpec{Data: []byte{}, NoOfRecords: ptr(0)} },
			Flow{}, state.Landed, "", 0, 0, ""},
		{"cut XML", func(*rig) sim.ExportSpec {
			return sim.ExportSpec{Format: sim.XMLElement, Data: []byte("<Document><A><B>1</B></A><A><B>2"), NoOfRecords: ptr(2)}
		}, Flow{}, state.Parked, state.ReasonMalformed, 0, 0, ""},
		{"a cut package", func(w *rig) sim.ExportSpec {
			p := w.fo.Package("x", w.fo.Member(sim.CSVUTF8, w.fo.SampleEntity("Units", 50)))
			return sim.ExportSpec{Data: p[:len(p)-40]}
		}, Flow{}, state.Parked, state.ReasonDamaged, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRig(t)
			cfg := w.takesAll()
			c.flow.Name, c.flow.Outputs = "all", []string{"files"}
			cfg.Flows = []Flow{c.flow}
			w.run(cfg)
			spec := c.spec(w)
			spec.Entity = "Customer groups"
			receipt, _, _ := w.export(spec)
			w.settle()
			if len(w.exports(receipt.ShipmentID)) == 0 { // it could not even be opened
				w.wantShipment(receipt.ShipmentID, c.state, c.reason, SafeHere)
				return
			}
			e := w.only(receipt.ShipmentID)
			place := LandedHere
			if c.state == state.Parked {
				place = SafeHere
			}
			w.wantExport(e, c.state, c.reason, place)
			if e.Rows != c.rows || e.BadRows != c.bad || !strings.Contains(e.Detail+e.Notes, c.detail) {
				t.Errorf("%d rows, %d bad, %q; want %d, %d, %q", e.Rows, e.BadRows, e.Detail+e.Notes, c.rows, c.bad, c.detail)
			}
			if c.state == state.Parked {
				if files := keys(w.tree()); len(files) > 0 {
					t.Errorf("parked, and visible: %v", files)
				}
				return
			}
			if m := w.manifest(e); m["rows"] != float64(c.rows) || m["rows_set_aside"] != float64(c.bad) {
				t.Errorf("the manifest says %v rows, %v set aside", m["rows"], m["rows_set_aside"])
			}
			if n := len(w.rows(e)); int64(n) != c.rows {
				t.Errorf("%d rows in the file, want %d", n, c.rows)
			}
		})
	}
}

// A rerun under another template moves an export: it does not stand in two places.
func TestRerunUnderAnotherTemplateMoves(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	w.run(cfg)
	r, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Format: sim.CSVUTF8, Rows: 3})
	w.settle()
	e := w.only(r.ShipmentID)
	before := keys(w.tree())
	moved, err := outputs.NewFiles(outputs.FilesOptions{Name: "files", Folder: w.out, Template: "elsewhere/{export_id}.jsonl"})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Outputs["files"] = moved
	w.run(cfg)
	if _, err := w.relay.RerunIDs(t.Context(), []string{e.ID}, false, "eve"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	after := keys(w.tree())
	if len(after) != 2 || !strings.HasPrefix(after[0], "elsewhere/") || !strings.HasPrefix(after[1], "elsewhere/") {
		t.Errorf("files after the move: %v; before: %v; want data and manifest elsewhere, nothing else", after, before)
	}
	w.wantExport(w.only(r.ShipmentID), state.Landed, "", LandedHere)
}

// An event that tells no time gets no date of ours into its path or manifest.
func TestEventWithoutTime(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Format: sim.CSVUTF8, Rows: 3})
	e.Omit = []string{"EventTime", "EventTimeIso8601"}
	r := w.post(w.fo.Payload(e))[0]
	w.settle()
	x := w.only(r.ShipmentID)
	m := w.manifest(x)
	if m["event_time"] != nil || m["order_key"] != "" {
		t.Errorf("manifest says event_time %v, order_key %v; want none", m["event_time"], m["order_key"])
	}
	for name := range w.tree() {
		if !strings.Contains(name, "/_/_/_/") {
			t.Errorf("file %s; want _ for year, month and day", name)
		}
	}
}
