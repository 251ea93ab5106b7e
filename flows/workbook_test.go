package flows

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// workbook writes the table as Excel would, on the second of two sheets.
func workbook(t *testing.T, table sim.Table, password string) []byte {
	t.Helper()
	f := excelize.NewFile()
	name := strings.ReplaceAll(table.Label, " ", "_") + "$"
	_, err := f.NewSheet(name)
	for i, row := range append([][]string{table.Columns}, table.Rows...) {
		at, cellErr := excelize.CoordinatesToCellName(1, i+1)
		err = errors.Join(err, cellErr, f.SetSheetRow(name, at, &row))
	}
	var b bytes.Buffer
	if err := errors.Join(err, f.Write(&b, excelize.Options{Password: password}), f.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestWorkbookInAPackage: its sheet is found by the entity, its rows land, and
// one with a password is parked as that while its neighbours land.
func TestWorkbookInAPackage(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	groups, units := w.fo.SampleEntity("Customer groups", 5), w.fo.SampleEntity("Units", 3)
	members := []sim.Member{
		{Entity: groups.Label, Ext: "xlsx", SourceFormat: "EXCEL", Columns: groups.Columns, Rows: 5, Data: workbook(t, groups, "")},
		{Entity: units.Label, Ext: "xlsx", SourceFormat: "EXCEL", Columns: units.Columns, Rows: 3, Data: workbook(t, units, "secret word")},
	}
	receipt, _, _ := w.export(sim.ExportSpec{Entity: groups.Label, Members: members})
	w.settle()
	all := w.exports(receipt.ShipmentID)
	if len(all) != 2 {
		t.Fatalf("%d exports\n%s", len(all), w.picture())
	}
	w.wantExport(all[0], state.Landed, "", LandedHere)
	w.wantRows(all[0], groups)
	if m := w.manifest(all[0]); m["format"] != "xlsx" {
		t.Errorf("the manifest says format %v", m["format"])
	}
	w.wantExport(all[1], state.Parked, state.ReasonEncrypted, SafeHere)
	if left, err := os.ReadDir(w.db.Folder()); err != nil || strings.Contains(list(left), "finrelay-workbook") {
		t.Errorf("left behind: %s %v", list(left), err)
	}
}

func list(entries []os.DirEntry) string {
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}
