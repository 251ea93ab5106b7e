package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"finrelay/dmf/sim"
)

// simExport is one use of sim-export:
//
//	sim-export [FLAGS] ENTITY       a bare file
//	sim-export -package ENTITY...   a data package with a file of each
//
// An ENTITY is read with Go's escapes, so "\t" is a tab. $EVENT and $SHIPMENT
// are set from the door's answer, which becomes standard output.
type simExport struct {
	company     string
	format      string
	rows        int
	data        string        // the file instead of made-up rows
	records     int           // NoOfRecords of the event; -1 is the true number
	life        time.Duration // of the link; negative is dead already
	asPackage   bool
	gone        bool   // the blob is deleted before the event is sent
	environment string // of the door
	save        string // write the data file here and send nothing
}

func (x *simExport) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("sim-export", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&x.company, "company", "usmf", "")
	fs.StringVar(&x.format, "format", string(sim.CSVUTF8BOM), "")
	fs.IntVar(&x.rows, "rows", 3, "")
	fs.StringVar(&x.data, "data", "", "")
	fs.IntVar(&x.records, "records", -1, "")
	fs.DurationVar(&x.life, "life", 0, "")
	fs.BoolVar(&x.asPackage, "package", false, "")
	fs.BoolVar(&x.gone, "gone", false, "")
	fs.StringVar(&x.environment, "environment", "prod", "")
	fs.StringVar(&x.save, "save", "", "")
	return fs
}

func cmdSimExport(ts *testscript.TestScript, neg bool, args []string) {
	var x simExport
	fs := x.flags()
	ts.Check(fs.Parse(args))
	usageOf(ts, neg, fs.NArg() == 1 || fs.NArg() > 1 && x.asPackage, "sim-export [FLAGS] ENTITY, or -package ENTITY...")
	finops := finopsOf(ts)
	event, blob := finops.Export(x.spec(ts, finops, fs.Args()))
	if x.save != "" {
		ts.Check(os.WriteFile(ts.MkAbs(x.save), blob.Bytes(), 0o666))
		return
	}
	if x.gone {
		blob.Delete()
	}
	door := doorOf(ts.Getenv("DOOR"), x.environment, ts.Getenv("KEY"))
	sent := finops.Send(context.Background(), door, finops.Payload(event))
	answer := sent.Tries[len(sent.Tries)-1].Answer
	if !sent.Delivered {
		ts.Fatalf("%s\n%s", sent, answer)
	}
	fmt.Fprint(ts.Stdout(), answer)
	setAnswered(ts, []byte(answer))
	ts.Setenv("BLOB", path.Base(blob.Name()))
}

func (x *simExport) spec(ts *testscript.TestScript, finops *sim.Sim, entities []string) sim.ExportSpec {
	format, err := sim.ParseFormat(x.format)
	ts.Check(err)
	spec := sim.ExportSpec{LegalEntity: x.company, Format: format, Rows: x.rows, Link: sim.LinkOptions{Life: x.life}}
	spec.Entity, err = strconv.Unquote(`"` + entities[0] + `"`)
	ts.Check(err)
	if x.records >= 0 {
		spec.NoOfRecords = &x.records
	}
	if x.data != "" {
		spec.Data = []byte(ts.ReadFile(x.data))
	}
	for _, label := range entities {
		if x.asPackage {
			spec.Members = append(spec.Members, finops.Member(format, finops.SampleEntity(label, x.rows)))
		}
	}
	return spec
}
