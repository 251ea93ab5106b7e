package config

import (
	"slices"
	"strings"
)

// azureBlobHosts are the names of Azure Blob accounts in the public, US
// government and China clouds, and of accounts with Azure DNS zone endpoints.
// They are what the downloader takes by default; a test compares the two.
//
// Assumed: FinOps' own account is always under one of them; a link to any other
// host shows it wrong and is parked with that host's name.
var azureBlobHosts = []string{
	".blob.core.windows.net",
	".blob.storage.azure.net",
	".blob.core.usgovcloudapi.net",
	".blob.core.chinacloudapi.cn",
}

// DefaultLinkHosts gives the link_hosts of an environment that names none: the
// suffixes of every Azure Blob account. The slice is the caller's.
func DefaultLinkHosts() []string { return slices.Clone(azureBlobHosts) }

// defaultPath lacks the extension, which follows the output's format.
const defaultPath = "{environment}/{entity}/{legal_entity}/{yyyy}/{mm}/{dd}/{export_id}"

const (
	defaultFlow   = "everything"
	defaultOutput = "out"
)

// Default gives what runs without a file: state in ./data, files below ./out,
// a loopback listener, any environment name accepted, and one flow that takes
// everything. It is valid, and its paths are relative to the working directory.
func Default() Config {
	c := base()
	c.fill()
	return *c
}

// base has the defaults of everything that does not depend on what the file
// says elsewhere; fill adds the rest.
func base() *Config {
	return &Config{
		State:  "./data",
		Listen: "127.0.0.1:8686",
		Log:    Log{Level: "info", Format: "text"},
		Match:  "first",
		Doors: Doors{FinOps: Door{
			MaxBody: 1 << 20,
			Fields:  defaultFields(),
		}},
		AlertOn:   []string{"row_mismatch", "rows_set_aside"},
		Workers:   Workers{Fetch: 8},
		Retention: Retention{Identities: 400 * day, RawFiles: 14 * day},
		Shutdown:  Shutdown{Grace: 25 * second},
	}
}

// defaultFields mirrors the event reader's own list, so that config show can
// print it; a test compares the two.
func defaultFields() Fields {
	return Fields{
		DownloadURL:     []string{"DownloadURL"},
		EntityName:      []string{"EntityName"},
		LegalEntity:     []string{"LegalEntity", "BusinessEventLegalEntity"},
		EventID:         []string{"EventId"},
		BusinessEventID: []string{"BusinessEventId"},
		ControlNumber:   []string{"ControlNumber"},
		RecID:           []string{"RecId"},
		EventTime:       []string{"EventTime"},
		EventTimeISO:    []string{"EventTimeIso8601"},
		NoOfRecords:     []string{"NoOfRecords"},
		ExecutionID:     []string{"ExecutionId", "DMFExecutionId"},
		DefinitionGroup: []string{"DefinitionGroup", "DMFDefinitionGroup", "DefinitionGroupId"},
	}
}

// defaulter is a type of which a file may hold many; the decoder starts each
// one from its defaults.
type defaulter interface{ setDefaults() }

func (e *Environment) setDefaults() {
	e.LinkHosts = DefaultLinkHosts()
	e.SignIn.Method = "secret"
	e.ProofAfter = 10 * minute
}

func (f *Flow) setDefaults() {
	f.Refresh = "incremental"
	f.OnBadRows = "park"
	f.OnRowMismatch = "warn"
	f.OnPossibleDuplicate = "land"
	f.OnZeroRows = "land"
	f.Queue = Queue{Zone: "UTC", Backlog: "ask"}
	f.Project = Project{Zone: "UTC", MaxAge: 6 * 60 * minute}
	f.Cadence = Cadence{Zone: "UTC", Grace: 30 * minute}
	f.OnTypeError = "park"
	f.Read = Read{
		Format:           "auto",
		Delimiter:        "auto",
		Quote:            `"`,
		Header:           true,
		Encoding:         "auto",
		FallbackEncoding: "windows-1252",
		Undecodable:      "reject",
	}
}

// fill adds the defaults that depend on what else the flow says.
func (f *Flow) fill() {
	if f.Queue.Schedule == "" {
		f.Queue.Schedule = "*/10 * * * *"
		if f.Queue.WithEvents {
			f.Queue.Schedule = "*/30 * * * *"
		}
	}
	if f.Project.OnPartial == "" {
		f.Project.OnPartial = "park"
		if f.Refresh == "full" {
			f.Project.OnPartial = "land"
		}
	}
}

func (c *Column) setDefaults() {
	c.Type = "string"
	c.Zone = "UTC"
}

func (k *Constant) setDefaults() { k.Type = "string" }

func (o *Output) setDefaults() {
	o.Type = "files"
	o.Format = "jsonl"
}

// fill adds the defaults that depend on other parts of the file. A section
// that is there but empty is not filled: that is what its writer said.
func (c *Config) fill() {
	if c.Outputs == nil {
		var out Output
		out.setDefaults()
		out.Folder = "./out"
		c.Outputs = map[string]Output{defaultOutput: out}
	}
	for name, out := range c.Outputs {
		if out.Path == "" {
			out.Path = defaultPath + "." + out.Format
			c.Outputs[name] = out
		}
	}
	if c.Flows == nil {
		var flow Flow
		flow.setDefaults()
		flow.Name = defaultFlow
		c.Flows = []Flow{flow}
	}
	for i := range c.Flows {
		if c.Flows[i].Outputs == nil {
			c.Flows[i].Outputs = sortedKeys(c.Outputs)
		}
		c.Flows[i].fill()
	}
}

// Environment gives the settings of the environment called name, and whether
// events for it are accepted: with no environments configured, every name that
// is a valid one is, with default settings.
func (c *Config) Environment(name string) (Environment, bool) {
	if len(c.Environments) > 0 {
		env, ok := c.Environments[name]
		return env, ok
	}
	var env Environment
	env.setDefaults()
	return env, validName(name)
}

// KeysFor gives the keys that may send events for the environment called name:
// its own if it has any, else the door's. The slice may be empty and is shared.
func (c *Config) KeysFor(name string) []Secret {
	if env := c.Environments[name]; len(env.Keys) > 0 {
		return env.Keys
	}
	return c.Doors.FinOps.Keys
}

// HasKeys reports whether any key is configured anywhere. If not, the command
// makes one with EnsureKey.
func (c *Config) HasKeys() bool {
	for name := range c.Environments {
		if len(c.KeysFor(name)) > 0 {
			return true
		}
	}
	return len(c.Doors.FinOps.Keys) > 0
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
