package flows

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// checkFiles goes through the simulator's own record and wants each file to
// have become exports with its rows, and no export to be there besides.
func (p *playedScenario) checkFiles() {
	p.t.Helper()
	runs := map[string]sim.Execution{}
	for _, x := range p.fo.Executions() {
		runs[x.ID] = x
	}
	landed := p.readLanded()
	accounted, noFile := 0, 0
	for _, f := range p.files {
		id := f.shipment
		if id == "" {
			id = messageShipment(f.Message)
			p.wantAcked(f.Message, id)
		}
		if f.Blob == nil {
			if s := p.shipment(id); s.State != state.Settled || s.Reason != state.ReasonNoFile {
				p.t.Errorf("message without a file: shipment %s is %s %q", id, s.State, s.Reason)
			}
			noFile++
			continue
		}
		tables := runs[f.ExecutionID].Tables
		if step := p.sc.Timeline[f.Step]; step.Bare {
			tables = only(tables, f.Entity)
			if step.Pad > 0 {
				tables = []sim.Table{readCSV(p, f.Blob.Bytes())}
			}
		}
		accounted += p.checkShipment(id, tables, landed)
	}
	accounted += p.checkExecutions(runs, landed)
	if accounted != len(p.exports) || noFile != p.want.noFile {
		p.t.Errorf("%d exports are of files that the simulator made, and %d messages had none; the ledger has %d exports; want %d messages without a file",
			accounted, noFile, len(p.exports), p.want.noFile)
	}
	if n := landed.count(); n != p.want.landed || len(landed.extra) > 0 {
		p.t.Errorf("%d exports landed, besides %v; want %d", n, landed.extra, p.want.landed)
	}
	for _, a := range p.sc.Activities {
		if n := p.fo.Waiting(a.ID); n > 0 {
			p.t.Errorf("%d messages still wait in FinOps", n)
		}
	}
}

func (p *playedScenario) checkExecutions(runs map[string]sim.Execution, landed *landedFiles) (exports int) {
	p.t.Helper()
	executions, err := p.db.Executions(p.t.Context(), state.Filter{Limit: -1})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, x := range executions {
		if x.ShipmentID != "" {
			exports += p.checkShipment(x.ShipmentID, runs[x.ExecutionID].Tables, landed)
		}
	}
	return exports
}

// wantAcked: FinOps has the ack, and the ledger knows it or has good reason to
// think so.
func (p *playedScenario) wantAcked(m *sim.Message, shipment string) {
	p.t.Helper()
	stored, err := p.db.Message(p.t.Context(), shipment)
	if at, _ := m.Ack(); at.IsZero() || err != nil || stored.State != state.Acked && stored.State != state.Assumed {
		p.t.Errorf("message %s: acked in FinOps %v, %s in the ledger, %v", m.CorrelationID, !at.IsZero(), stored.State, err)
	}
}

// checkShipment compares the exports of a shipment with the tables it was made
// of, and gives how many there are.
func (p *playedScenario) checkShipment(id string, tables []sim.Table, landed *landedFiles) int {
	p.t.Helper()
	exports := p.shipmentExports(id)
	if len(exports) != len(tables) || len(tables) == 0 {
		p.t.Errorf("shipment %s became %d exports of %d tables: %s", id, len(exports), len(tables), p.shipment(id).Detail)
		return len(exports)
	}
	for i, e := range exports {
		if e.State != state.Landed {
			continue // checkList looks at it
		}
		table := tables[i]
		if len(tables) > 1 {
			table = only(tables, e.Entity)[0]
		}
		if e.Rows != int64(len(table.Rows)) {
			p.t.Errorf("export %s of %s landed with %d rows by the ledger, want %d", e.ID, e.Entity, e.Rows, len(table.Rows))
		}
		if d := landed.difference(e.ID, table); d != "" {
			p.t.Errorf("export %s of %s: %s", e.ID, e.Entity, d)
		}
	}
	return len(exports)
}

func (p *playedScenario) shipmentExports(id string) (all []state.Export) {
	for _, e := range p.exports {
		if e.ShipmentID == id {
			all = append(all, e)
		}
	}
	return all
}

func only(tables []sim.Table, label string) []sim.Table {
	for _, t := range tables {
		if strings.EqualFold(t.Label, label) {
			return []sim.Table{t}
		}
	}
	return nil
}

func readCSV(p *playedScenario, data []byte) sim.Table {
	p.t.Helper()
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(records) == 0 {
		p.t.Fatalf("%d records, %v", len(records), err)
	}
	return sim.Table{Columns: records[0], Rows: records[1:]}
}

// landedFiles is the output folder by export: how often each of its two files
// is there, and the rows.
type landedFiles struct {
	data, manifests map[string]int
	content         map[string]string
	extra           []string // files of no export
}

func (p *playedScenario) readLanded() *landedFiles {
	l := &landedFiles{data: map[string]int{}, manifests: map[string]int{}, content: map[string]string{}}
	known := map[string]bool{}
	for _, e := range p.exports {
		known[e.ID] = e.State == state.Landed
	}
	for name, content := range p.tree() {
		id := name[strings.LastIndexByte(name, '/')+1:]
		id, manifest := strings.CutSuffix(id, ".manifest.json")
		id = strings.TrimSuffix(id, ".jsonl")
		switch {
		case !known[id]:
			l.extra = append(l.extra, name)
		case manifest:
			l.manifests[id]++
		default:
			l.data[id]++
			l.content[id] = content
		}
	}
	return l
}

func (l *landedFiles) count() int { return len(l.data) }

// difference says what is not as it should be of an export that landed: once,
// with a manifest, and with the table's rows value for value.
func (l *landedFiles) difference(id string, want sim.Table) string {
	if l.data[id] != 1 || l.manifests[id] != 1 {
		return fmt.Sprintf("landed %d times with %d manifests", l.data[id], l.manifests[id])
	}
	i := 0
	for line := range strings.Lines(l.content[id]) {
		row := map[string]any{}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return err.Error()
		}
		if i >= len(want.Rows) {
			return fmt.Sprintf("more rows than %d", len(want.Rows))
		}
		for j, column := range want.Columns {
			if got, _ := row[column].(string); got != want.Rows[i][j] {
				return fmt.Sprintf("row %d, %s: %q, want %q", i+1, column, row[column], want.Rows[i][j])
			}
		}
		i++
	}
	if i != len(want.Rows) {
		return fmt.Sprintf("%d rows, want %d", i, len(want.Rows))
	}
	return ""
}
