package main

import (
	"bytes"
	"fmt"
	"testing"

	"finrelay/dmf/sim"
)

// TestKillBetweenPasses kills a server while it converts a composite, in the
// first pass and before the second: what it leaves is what a conversion that
// breaks off leaves, and the next one writes the same files.
func TestKillBetweenPasses(t *testing.T) {
	t.Parallel()
	w := startCrashSim(t)
	var doc bytes.Buffer
	doc.WriteString("<Document>")
	for i := range 5000 {
		fmt.Fprintf(&doc, "<ORDERENTITY><ID>%d</ID><NOTE>some text</NOTE></ORDERENTITY>", i)
	}
	doc.WriteString("<ORDERENTITY><ID>last</ID><LINE><ITEM>a</ITEM></LINE></ORDERENTITY></Document>")
	w.export(sim.ExportSpec{Entity: "Customer groups", Format: sim.XMLElement, Data: doc.Bytes()})
	want, counts := undisturbed(t, w)
	if files := countPrefix(want, "file out/"); files != 2 || counts["convert"] != 1 || counts["convert-again"] != 1 {
		t.Fatalf("the undisturbed run is not as planned: %d files, steps %v", files, counts)
	}
	for _, at := range []string{"convert:1", "convert-again:1", "commit:1"} {
		l := &lineage{folder: w.folder(t, "10s"), env: [][]string{{killAt + "=" + at}}}
		got, err := runLineage(t.Context(), w, l, 1)
		if err != nil {
			t.Fatal(err)
		}
		if d := want.difference(got); d != "" {
			t.Errorf("killed at %s, it differs from the undisturbed run:\n%s\nlog of the last server:\n%s", at, d, l.now.Log())
		}
	}
}
