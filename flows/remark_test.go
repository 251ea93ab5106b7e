package flows

import (
	"maps"
	"strings"
	"testing"

	"finrelay/dmf/sim"
	"finrelay/exporter/convert"
	"finrelay/state"
)

func TestEveryRemarkHasAdvice(t *testing.T) {
	remarks := constants[state.Remark](t, "../state", "Remark")
	for remark, name := range remarks {
		if RemarkAdvice(remark) == "" {
			t.Errorf("%s: no advice; a person who reads %q at night has nothing to do", name, remark)
		}
	}
	if all := state.AllRemarks(); len(all) != len(remarks) {
		t.Errorf("AllRemarks lists %d of %d", len(all), len(remarks))
	}
}

// What landed but is not as it should be has its word in the ledger, its
// sentence in the notes and in the manifest, and advice.
func TestLandedWithARemark(t *testing.T) {
	for _, c := range []struct {
		name     string
		spec     sim.ExportSpec
		flow     Flow
		remarks  string
		sentence string
	}{
		{"plain", sim.ExportSpec{Data: []byte("A,B\n1,2\n"), NoOfRecords: ptr(1)}, Flow{}, "", ""},
		{"another count", sim.ExportSpec{Data: []byte("A,B\n1,2\n"), NoOfRecords: ptr(7)}, Flow{}, "row_mismatch", "announced 7 rows"},
		{"rows set aside", sim.ExportSpec{Data: []byte("A,B\n1,2\n3\n"), NoOfRecords: ptr(2)}, Flow{OnBadRows: LandIt}, "rows_set_aside", "1 rows set aside"},
		// The text is Czech, in windows-1250.
		{"a guessed encoding", sim.ExportSpec{Data: []byte("A,B\r\n1,\x8eluk\xfd k\xf9\xf2\r\n"), NoOfRecords: ptr(1)}, Flow{},
			"encoding_guessed", "the file is not UTF-8 and was read as windows-1252, which is a guess: if letters are wrong, say its encoding with read.encoding of the flow"},
		{"an encoding that was said", sim.ExportSpec{Data: []byte("A,B\r\n1,\x8eluk\xfd k\xf9\xf2\r\n"), NoOfRecords: ptr(1)},
			Flow{Read: convert.Options{Encoding: "windows-1250"}}, "", ""},
		{"bytes replaced", sim.ExportSpec{Data: []byte("A,B\n1,\x81\n"), NoOfRecords: ptr(1)},
			Flow{Read: convert.Options{Encoding: "windows-1253", Replace: true}}, "bytes_replaced", "replaced by U+FFFD"},
		{"stray quotes, and a count", sim.ExportSpec{Data: []byte("A,B\n1,5\" pipe\n"), NoOfRecords: ptr(3)}, Flow{}, "row_mismatch stray_quotes", "stray quotes"},
		{"values that do not fit, and a column that is not there", sim.ExportSpec{Data: []byte("A,B\nx,2\n"), NoOfRecords: ptr(1)},
			Flow{Shape: convert.Shape{OnTypeError: convert.TypeErrorKeep, Columns: []convert.Column{{Name: "A", Type: convert.TypeInteger}, {Name: "C", Type: convert.TypeInteger}}}},
			"type_errors columns_missing", "columns that the file lacks: C"},
		{"what a transform left out was asked for", sim.ExportSpec{Data: []byte("A,B\n1,2\n3,4\n"), NoOfRecords: ptr(2)},
			Flow{Shape: convert.Shape{Transform: `select(.A == "1")`}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRig(t)
			cfg := w.takesAll()
			c.flow.Name, c.flow.Outputs = "all", []string{"files"}
			cfg.Flows = []Flow{c.flow}
			w.run(cfg)
			c.spec.Entity = "Customer groups"
			receipt, _, _ := w.export(c.spec)
			w.settle()
			e := w.only(receipt.ShipmentID)
			w.wantExport(e, state.Landed, "", LandedHere)
			if e.Remarks.String() != c.remarks || e.Unseen.String() != c.remarks {
				t.Errorf("remarks %q, unseen %q; want %q", e.Remarks, e.Unseen, c.remarks)
			}
			warnings := w.manifest(e)["warnings"].([]any)
			if len(warnings) > 0 && warnings[0] != e.Notes || !strings.Contains(e.Notes, c.sentence) || (len(warnings) > 0) != (e.Notes != "") {
				t.Errorf("notes %q, warnings of the manifest %q; want %q in both", e.Notes, warnings, c.sentence)
			}
			if next := w.where(e).Next; (next != "") != (c.remarks != "") || next != "" && !strings.Contains(next, "finrelay seen "+e.ID) {
				t.Errorf("next: %q", next)
			}
		})
	}
}

// A rerun writes the same manifest, with each sentence once, and what the
// configuration has put right since is said no more.
func TestRerunOfARemark(t *testing.T) {
	w := newRig(t)
	cfg := w.takesAll()
	w.run(cfg)
	member := w.fo.Member(sim.CSVUTF8, w.fo.SampleEntity("Vendor groups", 2))
	member.Undeclared = true
	member.Data = []byte("A,B\r\n1,\x8eluk\xfd\r\n")
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Vendor groups", Members: []sim.Member{member}, NoOfRecords: ptr(5)})
	w.settle()
	landed, files := w.only(receipt.ShipmentID), w.tree()
	if landed.Remarks.String() != "row_mismatch encoding_guessed package_odd" {
		t.Errorf("remarks %q", landed.Remarks)
	}
	seen, err := w.relay.SeenMatching(t.Context(), state.Filter{Remark: state.RemarkRowMismatch}, "eve")
	if err != nil || len(seen) != 1 || seen[0].Remarks.String() != "row_mismatch" || w.only(receipt.ShipmentID).Unseen.String() != "encoding_guessed package_odd" {
		t.Errorf("seen %+v, %v; left %q", seen, err, w.only(receipt.ShipmentID).Unseen)
	}
	again := func() state.Export {
		t.Helper()
		if _, err := w.relay.RerunIDs(t.Context(), []string{landed.ID}, false, "eve"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		return w.only(receipt.ShipmentID)
	}
	if e := again(); e.Notes != landed.Notes || e.Unseen.String() != landed.Remarks.String() || !maps.Equal(w.tree(), files) {
		t.Errorf("landed again with notes\n%s\nunseen %q; want\n%s\n%q and the same files", e.Notes, e.Unseen, landed.Notes, landed.Remarks)
	}
	cfg.Flows[0].Read.Encoding = "windows-1250"
	w.run(cfg)
	if e := again(); e.Remarks.String() != "row_mismatch package_odd" || strings.Contains(e.Notes, "guess") || !strings.HasPrefix(e.Notes, "not declared") {
		t.Errorf("after the correction: remarks %q, notes %q", e.Remarks, e.Notes)
	}
	for _, c := range []struct {
		id, remarks, refusal string
	}{
		{landed.ID, "row_mismatch package_odd", ""},
		{landed.ID, "", "no remark that nobody has looked at"},
		{receipt.ShipmentID, "", "no export"},
		{"ex_zzz", "", "not in the ledger"},
	} {
		got, err := w.relay.SeenIDs(t.Context(), []string{c.id}, "eve")
		if err != nil || len(got) != 1 || got[0].Remarks.String() != c.remarks || !strings.Contains(got[0].Refusal, c.refusal) || (got[0].Refusal == "") != (c.refusal == "") {
			t.Errorf("%s: %+v, %v; want %q, %q", c.id, got, err, c.remarks, c.refusal)
		}
	}
}
