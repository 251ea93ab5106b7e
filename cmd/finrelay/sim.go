package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/dmf/sim"
)

// packageFormat is what --format takes besides the formats of data files: all
// entities in one data package.
const packageFormat = "package"

// simulation is one run of the sim command.
type simulation struct {
	app *app
	sim *sim.Sim

	listen, post, key, keyFile string
	every, linkLife            time.Duration
	count, rows                int
	entities                   []string
	legalEntity, format        string
	seed                       uint64
	scenario                   string
	speed                      float64
	verbose                    bool
}

// sim runs the simulated FinOps alone.
func (a *app) sim() *cobra.Command {
	s := &simulation{app: a}
	c := &cobra.Command{
		Use:   "sim",
		Short: "Run the simulated FinOps alone, to try things against",
		Long: `sim is a small FinOps with its blob store: it exports made-up data, and posts an
event for each file as FinOps does, three tries one second apart. Links really
expire, and the store answers as Azure Blob does.

With --post it sends the events to a finrelay. Without, it prints their bodies,
one a line, for you to send:

    finrelay sim --every 0 | while read -r body; do
        curl --data-binary "$body" -H "x-functions-key: $(cat data/finops.key)" http://127.0.0.1:8686/in/finops/prod
    done

The bodies hold links that are good until they expire: they open made-up data on
this machine and nothing else.

With --scenario it plays a story from a file instead: projects, queues, events
and what goes wrong with them, in real time or --speed times as fast (see
docs/simulator.md).

It serves the files until it is stopped with SIGINT or SIGTERM, also when all
events are sent.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&s.listen, "listen", "127.0.0.1:8790", "address and port of the blob store")
	f.StringVar(&s.post, "post", "", "door to post events to, http://127.0.0.1:8686/in/finops/ENVIRONMENT; without it they are printed")
	f.StringVar(&s.key, "key", "", "key of the door; other users of this machine can see it: prefer --key-file")
	f.StringVar(&s.keyFile, "key-file", "", "file with the key of the door, as finrelay serve names it")
	f.DurationVar(&s.every, "every", 15*time.Second, "time between two exports; 0 runs each entity once")
	f.IntVar(&s.count, "count", 0, "exports to run; 0 for no end (with --every 0: each entity once)")
	f.StringArrayVar(&s.entities, "entity", []string{"Customer groups"}, "entity label, taken in turn when given more than once; any label will do, well known are: "+strings.Join(sim.SampleEntities(), ", "))
	f.StringVar(&s.legalEntity, "legal-entity", "usmf", "company of the exports")
	f.IntVar(&s.rows, "rows", 20, "rows of each entity")
	f.StringVar(&s.format, "format", string(sim.CSVUTF8BOM), "format of the files: "+strings.Join(formatNames(), ", ")+"; package puts all entities into one data package")
	f.DurationVar(&s.linkLife, "link-life", sim.DefaultLinkLife, "time from an event to the death of its link")
	f.Uint64Var(&s.seed, "seed", 0, "the same seed gives the same ids and data; 0 takes a new one")
	f.StringVar(&s.scenario, "scenario", "", "file with a story to play: what there is, what happens when, what goes wrong")
	f.Float64Var(&s.speed, "speed", 1, "play the scenario so many times as fast: its timeline, the windows of its faults, and how long links, tokens and receipts live")
	f.BoolVarP(&s.verbose, "verbose", "v", false, "also log each request to the blob store")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formatNames(), cobra.ShellCompDirectiveNoFileComp)) // fails for an unknown flag only
	return c
}

func formatNames() []string {
	names := []string{packageFormat}
	for _, f := range sim.Formats() {
		names = append(names, string(f))
	}
	return names
}

// check refuses what cannot be meant and reads the key.
func (s *simulation) check() error {
	if !slices.Contains(formatNames(), s.format) {
		return usage(fmt.Errorf("--format %q: it is one of %s", s.format, strings.Join(formatNames(), ", ")))
	}
	if s.rows < 0 || s.count < 0 || s.every < 0 || s.linkLife <= 0 {
		return usage(errors.New("--rows, --count and --every must not be negative, --link-life must be positive"))
	}
	if len(s.entities) == 0 || slices.Contains(s.entities, "") {
		return usage(errors.New("--entity needs a label"))
	}
	if s.key != "" && s.keyFile != "" {
		return usage(errors.New("--key and --key-file are two ways to say one thing: give one"))
	}
	if s.speed != 1 && s.scenario == "" {
		return usage(errors.New("--speed is for a --scenario; without one --every says how often an export runs"))
	}
	if s.post != "" {
		u, err := url.Parse(s.post)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return usage(errors.New("--post needs a URL such as http://127.0.0.1:8686/in/finops/prod"))
		}
	}
	if s.keyFile == "" {
		return nil
	}
	text, err := os.ReadFile(s.keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return usage(fmt.Errorf("--key-file: %w; finrelay serve makes it when it starts, and names its place", err))
	}
	if err != nil {
		return usage(fmt.Errorf("--key-file: %w", err))
	}
	s.key = strings.TrimSpace(string(text))
	return nil
}

func (s *simulation) run(ctx context.Context) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	if s.seed == 0 {
		// Two runs against one ledger must not repeat identities: the second
		// one's events would be duplicates.
		s.seed = uint64(time.Now().UnixNano())
	}
	opt := sim.Options{Seed: s.seed, LinkLife: s.linkLife}
	var story sim.Scenario
	if s.scenario != "" {
		if story, err = s.readScenario(); err != nil {
			return err
		}
		opt = story.Options(opt)
		s.linkLife = cmp.Or(opt.LinkLife, sim.DefaultLinkLife)
	}
	if s.verbose {
		opt.Logger = slog.New(slog.NewTextHandler(s.app.stderr, nil))
	}
	s.sim = sim.New(opt)
	if _, err := s.sim.Start(s.listen); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.sim.Close()) }()
	s.intro()
	act := s.export
	if s.scenario != "" {
		act = func(ctx context.Context) error { return s.play(ctx, story) }
	}
	if err := act(ctx); ctx.Err() == nil && err != nil {
		return err
	}
	<-ctx.Done()
	return nil // the way to end it
}

// intro says how to configure a finrelay for these links.
func (s *simulation) intro() {
	environment := "prod"
	if u, err := url.Parse(s.post); err == nil && strings.Trim(u.Path, "/") != "" {
		environment = path.Base(u.Path)
	}
	s.say("a simulated FinOps is on %s; its links live for %v; stop it with Ctrl-C", s.sim.BaseURL(), config.Duration(s.linkLife))
	s.say(`A finrelay without a configuration file follows links to this machine; one with a file if that says so:

    environments:
      %s:
        loopback_links: true
`, environment)
}

func (s *simulation) say(format string, args ...any) {
	fmt.Fprintf(s.app.stderr, format+"\n", args...)
}

// export runs one export after the other, behind the endpoint test that FinOps
// posts when an endpoint is made.
func (s *simulation) export(ctx context.Context) error {
	if err := s.emit(ctx, "endpoint test", s.sim.TestEvent()); err != nil {
		return err
	}
	specs := s.specs()
	count := s.count
	if count == 0 && s.every == 0 {
		count = len(specs)
	}
	for i := 0; count == 0 || i < count; i++ {
		if i > 0 && s.every > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(s.every):
			}
		}
		spec := specs[i%len(specs)]
		event, blob := s.sim.Export(spec)
		what := fmt.Sprintf("%s, %s, %s, %d rows, %s", spec.Entity, s.legalEntity, s.format, event.NoOfRecords, size(blob.Size()))
		if err := s.emit(ctx, what, s.sim.Payload(event)); err != nil {
			return err
		}
	}
	s.say("all %d exports are done; their files are served until this ends", count)
	return nil
}

// specs are the exports of one round.
func (s *simulation) specs() []sim.ExportSpec {
	if s.format == packageFormat {
		spec := sim.ExportSpec{Entity: s.entities[0], LegalEntity: s.legalEntity, DefinitionGroup: "Simulated export"}
		for _, label := range s.entities {
			spec.Members = append(spec.Members, s.sim.Member(sim.CSVUTF16LE, s.sim.SampleEntity(label, s.rows)))
		}
		return []sim.ExportSpec{spec}
	}
	var specs []sim.ExportSpec
	for _, label := range s.entities {
		specs = append(specs, sim.ExportSpec{Entity: label, LegalEntity: s.legalEntity, Format: sim.Format(s.format), Rows: s.rows})
	}
	return specs
}

// emit posts a body and reports each try, or prints it. An event that is given
// up is only reported: FinOps goes on too.
func (s *simulation) emit(ctx context.Context, what string, body []byte) error {
	if s.post == "" {
		s.say("printed: %s", what)
		_, err := fmt.Fprintf(s.app.stdout, "%s\n", body)
		return err
	}
	d := s.sim.Send(ctx, endpoint(s.post, s.key), body)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, t := range d.Tries {
		s.say("%s  %s: try %d: %s", t.Time.Local().Format(time.TimeOnly), oneLine(what), i+1, answerTo(t))
	}
	if !d.Delivered {
		s.say("given up after %d tries, as FinOps does: the event is lost unless it is sent again by hand", len(d.Tries))
	}
	return nil
}

// answerTo says what became of one try, and what to do about an address that is
// no door.
func answerTo(t sim.Try) string {
	if t.Err != nil {
		return fmt.Sprintf("no answer: %v", t.Err)
	}
	text := fmt.Sprintf("answered %d in %v: %s", t.Status, t.Took.Round(time.Millisecond), oneLine(strings.TrimSpace(t.Answer)))
	if t.Status == http.StatusNotFound {
		text += "; --post wants the whole address of a door: http://127.0.0.1:8686/in/finops/prod"
	}
	return text
}
