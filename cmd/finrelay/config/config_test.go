package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"finrelay/state"
)

func mustParse(t *testing.T, text string, env map[string]string) *Config {
	t.Helper()
	c, err := Parse("finrelay.yaml", []byte(text), envMap(env))
	if err != nil {
		t.Fatalf("parse:\n%s\n%v", text, err)
	}
	return c
}

// everything sets every setting to something other than its default, except
// for secrets and certificate files, which have tests of their own.
const everything = `
state: /srv/data
listen: 127.0.0.1:1
insecure: true
log: {level: debug, format: json}
match: all
doors:
  finops:
    max_body: 1.5MiB
    fields:
      download_url: [A, B]
      entity_name: [C]
      legal_entity: [D]
      event_id: [E]
      business_event_id: [F]
      control_number: [G]
      rec_id: [H]
      event_time: [I]
      event_time_iso: [J]
      no_of_records: [K]
      execution_id: [L]
      definition_group: [M]
environments:
  prod:
    link_hosts: [contoso.blob.core.windows.net, .example, "127.0.0.1:10000"]
    loopback_links: true
    proxy: http://proxy:8080
    url: https://contoso-prod.operations.dynamics.com
    sign_in:
      method: certificate
      tenant: contoso.onmicrosoft.com
      client_id: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
      certificate: /etc/finrelay/app.pem
      authority: https://login.microsoftonline.us
    fetchers: 4
    proof_after: 5m
    plain_hosts: [127.0.0.1]
  onprem: {on_premises: true}
flows:
  - name: customers
    entities: ["Cust*"]
    target_entities: [CustCustomerEntity]
    legal_entities: [usmf]
    environments: [prod]
    source: [queue, package]
    queues: [customers]
    projects: ["Nightly*"]
    when: .NoOfRecords > 0
    refresh: full
    queue:
      environment: prod
      activity: "{3F2504E0-4F89-41D3-9A0C-0305E82C3301}"
      schedule: "*/5 6-20 * * 1-5"
      zone: Europe/Berlin
      backlog: park
      with_events: true
    project:
      environment: prod
      name: Nightly customers
      legal_entities: [usmf]
      schedule: "0 2 * * *"
      zone: Europe/Berlin
      on_partial: land
      max_age: 2h
      run_when_lost: true
    cadence: {every: "2h, Mon-Fri 06-20", zone: Europe/Berlin, grace: 45m}
    on_zero_rows: omit
    read:
      format: xml
      sheet: Rows
      delimiter: tab
      quote: none
      header: false
      columns: [a, b]
      encoding: utf-16le
      fallback_encoding: shift_jis
      children: [LINE, LINE/CHARGE]
      strict: true
      undecodable: replace
    columns:
      - {name: QTY, type: decimal, rename: quantity, omit_empty: true, format: "1.234,56"}
      - {name: AT, type: time, zone: Europe/Berlin}
      - {name: NOTE, drop: true}
    constants: [{name: source, value: "1", type: integer}]
    transform: del(.x)
    on_type_error: keep
    outputs: [one]
    on_bad_rows: land
    on_row_mismatch: park
    on_possible_duplicate: hold
outputs:
  one: {type: files, folder: /srv/out, path: "{flow}/{export_id}.json", format: json, envelope: true}
alert_on: [type_errors]
workers: {fetch: 3, deliver: 2}
retention: {identities: 100d, raw_files: 36h}
shutdown: {grace: 90s}
`

// unset are the settings that everything leaves alone.
var unset = []string{
	"tls", "tls.certificate", "tls.key",
	"doors.finops.keys", "doors.finops.keys_file",
	"environments.prod.keys", "environments.prod.keys_file", "environments.prod.ca_file",
	"environments.prod.on_premises", // has no queues; set for onprem
	"environments.prod.sign_in.secret", "environments.prod.sign_in.certificate_password",
	"outputs.one.type", // has one value only
	// Each is set in one of the columns.
	"flows[0].columns[0].drop", "flows[0].columns[0].zone",
	"flows[0].columns[1].rename", "flows[0].columns[1].drop", "flows[0].columns[1].omit_empty", "flows[0].columns[1].format",
	"flows[0].columns[2].type", "flows[0].columns[2].rename", "flows[0].columns[2].omit_empty", "flows[0].columns[2].format", "flows[0].columns[2].zone",
}

func settings(c *Config) map[string]any {
	all := map[string]any{}
	walk(reflect.ValueOf(c).Elem(), "", func(field string, v reflect.Value, _ structField) { all[field] = v.Interface() })
	return all
}

// TestEveryFieldRoundTrips: each setting is read, and Show writes each so that
// it is read again as the same.
func TestEveryFieldRoundTrips(t *testing.T) {
	c := mustParse(t, everything, nil)
	// A flow's and an output's defaults, to prove that everything differs.
	def := mustParse(t, "environments: {prod: }\nflows: [{name: x}]\noutputs: {one: {folder: x}}", nil)
	defaults := settings(def)
	for field, value := range settings(c) {
		skip := false
		for _, u := range unset {
			skip = skip || u == field
		}
		if !skip && reflect.DeepEqual(value, defaults[field]) && field != "flows[0].outputs" {
			t.Errorf("%s was not read: still the default %v", field, value)
		}
	}
	var shown bytes.Buffer
	if err := c.Show(&shown); err != nil {
		t.Fatal(err)
	}
	again := mustParse(t, shown.String(), nil)
	var shownAgain bytes.Buffer
	if err := again.Show(&shownAgain); err != nil {
		t.Fatal(err)
	}
	if shownAgain.String() != shown.String() {
		t.Errorf("shown, read and shown again, first:\n%s\nthen:\n%s", shown.String(), shownAgain.String())
	}
}

func TestDefault(t *testing.T) {
	c := Default()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if c.State != "./data" || c.Outputs["out"].Folder != "./out" || c.Listen != "127.0.0.1:8686" {
		t.Errorf("state %q, output %q, listen %q", c.State, c.Outputs["out"].Folder, c.Listen)
	}
	if len(c.Flows) != 1 || c.Flows[0].Name != "everything" || !reflect.DeepEqual(c.Flows[0].Outputs, []string{"out"}) {
		t.Errorf("flows: %+v", c.Flows)
	}
	if env, ok := c.Environment("anything"); !ok || len(env.LinkHosts) == 0 {
		t.Errorf("environment anything: %+v, %t", env, ok)
	}
	if _, ok := c.Environment("../x"); ok {
		t.Error("environment ../x is accepted")
	}
	// An empty file says nothing and means the same, relative to its folder.
	for _, text := range []string{"", "# nothing\n", "---\n", "null\n", "flows:\noutputs: ~\n"} {
		got := *mustParse(t, text, nil)
		got.source = nil
		want := Default()
		want.resolvePaths(".")
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q):\ngot  %+v\nwant %+v", text, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	c := mustParse(t, `
environments: {prod: , uat: {fetchers: 2}}
outputs: {b: {folder: b, format: json}, a: {folder: /a}}
`, nil)
	if got, want := c.Flows[0].Outputs, []string{"a", "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("outputs of the flow that was left out: got %v, want %v", got, want)
	}
	if got := c.Outputs["b"].Path; !strings.HasSuffix(got, "/{export_id}.json") {
		t.Errorf("path of a json output: %q", got)
	}
	if _, ok := c.Environment("other"); ok {
		t.Error("an environment that is not configured is accepted beside configured ones")
	}
	for _, name := range []string{"prod", "uat"} {
		if env, ok := c.Environment(name); !ok || !reflect.DeepEqual(env.LinkHosts, DefaultLinkHosts()) {
			t.Errorf("environment %s: %+v, %t", name, env, ok)
		}
	}
}

func TestRelativePaths(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"finrelay.yaml": "state: ./data\noutputs: {a: {folder: ../a}, b: {folder: /b}}\ndoors: {finops: {keys: [{file: k1}], keys_file: k2}}\n",
		"k1":            "first-key\r\n",
		"k2":            "# keys\n\nsecond-key\n  third-key\r\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "finrelay.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.State, c.Outputs["a"].Folder, c.Outputs["b"].Folder}
	want := []string{filepath.Join(dir, "data"), filepath.Join(filepath.Dir(dir), "a"), "/b"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var keys []string
	for _, k := range c.KeysFor("any") {
		keys = append(keys, k.Reveal())
	}
	if want := []string{"first-key", "second-key", "third-key"}; !reflect.DeepEqual(keys, want) {
		t.Errorf("keys: got %q, want %q", keys, want)
	}
}

func TestKeysOfEnvironmentReplaceTheDoors(t *testing.T) {
	c := mustParse(t, `
doors: {finops: {keys: [door]}}
environments: {prod: {keys: [own]}, uat: }
`, nil)
	for name, want := range map[string]string{"prod": "own", "uat": "door"} {
		if keys := c.KeysFor(name); len(keys) != 1 || keys[0].Reveal() != want {
			t.Errorf("keys of %s: got %d keys, want the one that is %q", name, len(keys), want)
		}
	}
	if d := Default(); !c.HasKeys() || d.HasKeys() {
		t.Error("HasKeys is wrong about one of the two")
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	c := mustParse(t, `
flows:
  - name: a
    read: &german {format: csv, delimiter: ";", encoding: windows-1252}
  - name: b
    read: *german
  - name: c
    read: {delimiter: "|", <<: *german}
`, nil)
	for i, want := range []string{";", ";", "|"} {
		if r := c.Flows[i].Read; r.Delimiter != want || r.Encoding != "windows-1252" || !r.Header {
			t.Errorf("flow %d: %+v", i, r)
		}
	}
	_, err := Parse("x.yaml", []byte("log: &a\n  <<: *a\n  level: info\n"), nil)
	if e, ok := errors.AsType[*Error](err); err != nil && !ok {
		t.Errorf("a merge of itself: %v (%T)", err, e)
	}
}

func TestErrorFields(t *testing.T) {
	_, err := Parse("conf/finrelay.yaml", []byte("log:\n  level: loud\nmatch: some\n"), nil)
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	if e.File != "conf/finrelay.yaml" || e.Line != 2 || e.Column != 10 || e.Field != "log.level" || e.Value != "loud" || e.Hint == "" {
		t.Errorf("got %+v", *e)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 2 {
		t.Errorf("two faults, got %v", err)
	}
	_, err = Load(filepath.Join(t.TempDir(), "none.yaml"), nil)
	if e, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, os.ErrNotExist) || e.Hint == "" {
		t.Errorf("no file: got %v", err)
	}
	c := Config{Match: "some"}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), `match: not a value of this setting: "some"`) {
		t.Errorf("a Config without a file: got %v", err)
	}
}

func TestShapeLimits(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": "a: " + strings.Repeat("[", 100_000),
		"dashes":   strings.Repeat("- ", 100_000),
		"size":     strings.Repeat("# comment\n", 200_000),
	} {
		if _, err := Parse(name, []byte(text), nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The remarks that alert_on may name are those that exports can have.
func TestAlertOnKnowsEveryRemark(t *testing.T) {
	for _, f := range fieldsOf(reflect.TypeFor[Config]()) {
		if f.name != "alert_on" {
			continue
		}
		if got, want := strings.Join(f.enum(), " "), state.AllRemarks().String(); got != want {
			t.Errorf("alert_on takes %s; want %s", got, want)
		}
	}
	if c := mustParse(t, "alert_on: []", nil); len(c.AlertOn) > 0 {
		t.Errorf("an empty list became %v", c.AlertOn)
	}
}
