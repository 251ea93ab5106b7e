package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"finrelay/dmf/sim"
)

// finopsOf gives the script's simulator, started at its first use.
func finopsOf(ts *testscript.TestScript) *sim.Sim {
	parts := partsOf(ts)
	if parts.finops == nil {
		parts.finops = sim.New(sim.Options{Seed: 1})
		_, err := parts.finops.Start("")
		ts.Check(err)
	}
	return parts.finops
}

// cmdSimFinOps puts the simulator's address where a file says FINOPS.
func cmdSimFinOps(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 1, "sim-finops FILE")
	text := bytes.ReplaceAll([]byte(ts.ReadFile(args[0])), []byte("FINOPS"), []byte(finopsOf(ts).BaseURL()))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o666))
}

// cmdSimRun runs a data project as FinOps' own batch does; $RUN is its
// execution id. With -announce the events of those entities are sent; with
// -no-link FinOps refuses to make a fresh link once.
func cmdSimRun(ts *testscript.TestScript, neg bool, args []string) {
	var ago, life time.Duration
	var noLink bool
	var announce []string
	fs := flag.NewFlagSet("sim-run", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.DurationVar(&ago, "ago", 0, "")
	fs.DurationVar(&life, "life", 0, "")
	fs.BoolVar(&noLink, "no-link", false, "")
	fs.Func("announce", "", func(s string) error { announce = append(announce, s); return nil })
	ts.Check(fs.Parse(args))
	usageOf(ts, neg, fs.NArg() > 1, "sim-run [-ago AGE] [-life OF-LINKS] [-no-link] [-announce ENTITY]... PROJECT ENTITY...")
	finops, project := finopsOf(ts), fs.Arg(0)
	p := sim.Project{Name: project}
	for _, label := range fs.Args()[1:] {
		p.Entities = append(p.Entities, sim.ProjectEntity{Label: label, Rows: 3})
	}
	finops.AddProject(p)
	finops.Clock().Advance(-ago)
	run := finops.RunProject(project, "usmf")
	finops.Clock().Advance(ago)
	ts.Setenv("RUN", run.ID)
	if noLink {
		finops.Fault(sim.Fault{Route: sim.RouteURL, Status: 400, Message: "not now"})
	}
	for i := range run.Tables {
		if !slices.Contains(announce, run.Tables[i].Label) {
			continue
		}
		event, _ := finops.Export(sim.ExportSpec{Entity: run.Tables[i].Label, LegalEntity: "usmf", Table: &run.Tables[i],
			ExecutionID: run.ID, DefinitionGroup: project, Link: sim.LinkOptions{Life: life}})
		sent := finops.Send(context.Background(), doorOf(ts.Getenv("DOOR"), "prod", ts.Getenv("KEY")), finops.Payload(event))
		answer := sent.Tries[len(sent.Tries)-1].Answer
		if !sent.Delivered {
			ts.Fatalf("%s\n%s", sent, answer)
		}
		fmt.Fprint(ts.Stdout(), answer)
		setAnswered(ts, []byte(answer))
	}
}

// scriptActivity is the recurring job whose queue scripts poll.
const scriptActivity = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

// cmdSimQueue puts a message for each entity into a queue: a bare file, or with
// -package a data package of that project. With -hang the download of the last
// one never ends; with -page a proxy answers all downloads from now on, with
// -unframed their answers end only with the connection, and sim-calm ends both.
func cmdSimQueue(ts *testscript.TestScript, neg bool, args []string) {
	fs := flag.NewFlagSet("sim-queue", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	hang := fs.Bool("hang", false, "")
	page := fs.Bool("page", false, "")
	unframed := fs.Bool("unframed", false, "")
	activity := fs.String("activity", scriptActivity, "")
	project := fs.String("package", "", "")
	ts.Check(fs.Parse(args))
	usageOf(ts, neg, fs.NArg() > 0, "sim-queue [-hang] [-page] [-unframed] [-activity ID] [-package PROJECT] ENTITY...")
	finops := finopsOf(ts)
	finops.AddActivity(*activity, sim.ActivityOptions{})
	for _, label := range fs.Args() {
		table := finops.SampleEntity(label, 3)
		data := finops.Render(sim.CSVUTF8BOM, table)
		if *project != "" {
			data = finops.Package(*project, finops.Member(sim.CSVUTF16LE, table))
		}
		finops.Enqueue(*activity, data, sim.MessageOptions{})
	}
	if *hang {
		finops.Fault(sim.Fault{Route: sim.RouteDownload, Skip: fs.NArg() - 1, HangAfter: -1})
	}
	if *page {
		finops.Fault(sim.Fault{Route: sim.RouteDownload, NoAzureHeaders: true, Status: 200, Times: sim.Always})
	}
	if *unframed {
		finops.Fault(sim.Fault{Route: sim.RouteDownload, NoLength: true, Times: sim.Always})
	}
}

// cmdSimCalm has nothing go wrong any more, and the queue hand out again what
// was not acked.
func cmdSimCalm(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 0, "sim-calm")
	finopsOf(ts).ClearFaults()
	finopsOf(ts).Clock().Advance(sim.DefaultVisibility + time.Minute)
}
