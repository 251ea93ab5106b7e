package main

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"finrelay/cmd/finrelay/config"
	"finrelay/dmf"
	"finrelay/exporter/convert"
	"finrelay/exporter/fetch"
	"finrelay/exporter/outputs"
	"finrelay/flows"
	"finrelay/flows/doors"
	"finrelay/state"
)

// buildRelay turns a checked configuration into a relay on an open ledger.
func (a *app) buildRelay(db *state.DB, cfg *config.Config, log *slog.Logger) (*flows.Relay, error) {
	fc, err := a.relayConfig(cfg, log)
	if err != nil {
		return nil, err
	}
	return flows.New(db, fc)
}

func (a *app) relayConfig(cfg *config.Config, log *slog.Logger) (flows.Config, error) {
	fc := flows.Config{
		MatchAll:         cfg.Match == "all",
		FieldNames:       fieldNames(cfg.Doors.FinOps.Fields),
		Fetchers:         cfg.Workers.Fetch,
		Deliverers:       cfg.Workers.Deliver,
		Grace:            time.Duration(cfg.Shutdown.Grace),
		RetainRaw:        time.Duration(cfg.Retention.RawFiles),
		RetainIdentities: time.Duration(cfg.Retention.Identities),
		Environments:     map[string]flows.Environment{},
		Outputs:          map[string]outputs.Output{},
		Polling:          a.polling,
		Logger:           log,
		Trace:            trace,
	}
	link, err := linkOptions(cfg.AnyEnvironment())
	if err != nil {
		return fc, err
	}
	fc.Unnamed = flows.Environment{Link: link}
	for name, e := range cfg.Environments {
		if cfg.Looking() {
			fc.Environments[name] = flows.Environment{Link: linkHosts(e), Fetchers: e.Fetchers}
			continue
		}
		link, err := linkOptions(e)
		if err != nil {
			return fc, fmt.Errorf("environment %s: %w", name, err)
		}
		client, err := finOpsClient(e, link, log)
		if err != nil {
			return fc, fmt.Errorf("environment %s: %w", name, err)
		}
		fc.Environments[name] = flows.Environment{Link: link, FinOps: client, Fetchers: e.Fetchers, ProofAfter: time.Duration(e.ProofAfter)}
	}
	for name, o := range cfg.Outputs {
		out, err := outputs.NewFiles(outputs.FilesOptions{Name: name, Folder: o.Folder, Template: o.Path, Format: o.Format, Envelope: o.Envelope})
		if err != nil {
			return fc, fmt.Errorf("output %s: %w", name, err)
		}
		fc.Outputs[name] = out
	}
	for _, f := range cfg.Flows {
		made, err := flow(f)
		if err != nil {
			return fc, err
		}
		fc.Flows = append(fc.Flows, made)
	}
	if fc.Queues, err = queues(cfg); err != nil {
		return fc, err
	}
	if fc.Projects, err = projects(cfg); err != nil {
		return fc, err
	}
	return fc, nil
}

func alertOn(cfg *config.Config) []state.Remark {
	var remarks []state.Remark
	for _, word := range cfg.AlertOn {
		remarks = append(remarks, state.Remark(word))
	}
	return remarks
}

// trace is set by tests that end the process between two steps.
var trace func(step string)

func flow(f config.Flow) (flows.Flow, error) {
	expected, err := f.Cadence.Parse()
	if err != nil {
		return flows.Flow{}, fmt.Errorf("flow %s: cadence: %w", f.Name, err)
	}
	return flows.Flow{
		Name: f.Name, Entities: f.Entities, TargetEntities: f.TargetEntities, LegalEntities: f.LegalEntities,
		Environments: f.Environments, Sources: f.Source, Queues: f.QueueIDs(), Projects: f.Projects, When: f.When, Outputs: f.Outputs,
		OnBadRows: flows.Policy(f.OnBadRows), OnRowMismatch: flows.Policy(f.OnRowMismatch), HoldTwins: f.OnPossibleDuplicate == "hold",
		OnZeroRows: flows.Policy(f.OnZeroRows), FullRefresh: f.Refresh == "full", Cadence: expected,
		Read: readOptions(f.Read), Shape: shape(f),
	}, nil
}

func shape(f config.Flow) convert.Shape {
	s := convert.Shape{Transform: f.Transform, OnTypeError: convert.OnTypeError(f.OnTypeError)}
	for _, c := range f.Columns {
		column := convert.Column{
			Name: c.Name, Type: convert.ColumnType(c.Type), Rename: c.Rename, Drop: c.Drop, OmitEmpty: c.OmitEmpty, Format: c.Format,
		}
		if column.Type == convert.TypeTime {
			column.Zone = c.Zone
		}
		s.Columns = append(s.Columns, column)
	}
	for _, k := range f.Constants {
		s.Constants = append(s.Constants, convert.Constant{Name: k.Name, Value: k.Value, Type: convert.ColumnType(k.Type)})
	}
	return s
}

func readOptions(r config.Read) convert.Options {
	o := convert.Options{NoHeader: !r.Header, Columns: r.Columns, Fallback: r.FallbackEncoding, Strict: r.Strict, Replace: r.Undecodable == "replace", Sheet: r.Sheet, Children: r.Children}
	o.Delimiter, _ = r.DelimiterChar()
	if q, _ := r.QuoteChar(); q == 0 {
		o.NoQuote = true
	} else {
		o.Quote = q
	}
	if r.Format != "auto" {
		o.Format = convert.Format(r.Format)
	}
	if r.Encoding != "auto" {
		o.Encoding = r.Encoding
	}
	return o
}

// linkHosts says which links are followed.
func linkHosts(e config.Environment) fetch.ClientOptions {
	o := fetch.ClientOptions{Hosts: e.LinkHosts, PlainHosts: e.PlainHosts, Loopback: e.LoopbackLinks, UserAgent: "finrelay/" + version()}
	if e.LoopbackLinks {
		// The setting alone is enough: link_hosts has a default, which does not hold this machine.
		o.Hosts = append(slices.Clone(o.Hosts), "127.0.0.1", "::1", "localhost")
	}
	return o
}

// linkOptions says how, too.
func linkOptions(e config.Environment) (fetch.ClientOptions, error) {
	o := linkHosts(e)
	if e.Proxy != "" {
		u, err := url.Parse(string(e.Proxy))
		if err != nil {
			return o, fmt.Errorf("proxy: %w", err)
		}
		o.Proxy = u
	}
	if e.CAFile == "" {
		return o, nil
	}
	pem, err := os.ReadFile(e.CAFile)
	if err != nil {
		return o, err
	}
	if o.RootCAs, err = x509.SystemCertPool(); err != nil {
		o.RootCAs = x509.NewCertPool()
	}
	if !o.RootCAs.AppendCertsFromPEM(pem) {
		return o, fmt.Errorf("ca_file %s holds no certificate in PEM form", e.CAFile)
	}
	return o, nil
}

func fieldNames(f config.Fields) dmf.FieldNames {
	return dmf.FieldNames{
		DownloadURL: f.DownloadURL, EntityName: f.EntityName, LegalEntity: f.LegalEntity, EventID: f.EventID,
		BusinessEventID: f.BusinessEventID, ControlNumber: f.ControlNumber, RecID: f.RecID, EventTime: f.EventTime,
		EventTimeISO: f.EventTimeISO, NoOfRecords: f.NoOfRecords, ExecutionID: f.ExecutionID, DefinitionGroup: f.DefinitionGroup,
	}
}

// keyFile is where a generated key stands in the state folder.
const keyFile = "finops.key"

// doorKeys gives the keys by environment: its own, else the door's, else the
// generated one, whose file is named when it is used.
func doorKeys(cfg *config.Config) (keys func(environment string) doors.Keys, generated string, err error) {
	extra := ""
	if !cfg.HasKeys() {
		generated = filepath.Join(cfg.State, keyFile)
		key, _, err := config.EnsureKey(generated)
		if err != nil {
			return nil, "", err
		}
		extra = key.Reveal()
	}
	// Hashed once: the door is on the path of every event.
	known := map[string]doors.Keys{}
	for name := range cfg.Environments {
		known[name] = doors.NewKeys(append(reveal(cfg.KeysFor(name)), extra)...)
	}
	common := doors.NewKeys(append(reveal(cfg.Doors.FinOps.Keys), extra)...)
	return func(environment string) doors.Keys {
		if k, ok := known[environment]; ok {
			return k
		}
		return common
	}, generated, nil
}

func reveal(secrets []config.Secret) []string {
	var list []string
	for _, s := range secrets {
		list = append(list, s.Reveal())
	}
	return list
}
