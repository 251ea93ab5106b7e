package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lookAt writes the file into a folder of its own and loads it in both ways.
func lookAt(t *testing.T, text string, env map[string]string) (looked *Config, whole, look error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "finrelay.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	_, whole = Load(path, lookup)
	looked, look = LoadToLook(path, lookup)
	return looked, whole, look
}

// What only looks goes on without secrets, wherever they were to come from; what
// serves is told all of them, with their places.
func TestLookWithoutSecrets(t *testing.T) {
	c, whole, err := lookAt(t, `
doors: {finops: {keys: ["${KEY}", {file: no.key}, "written-down-in-the-file"], keys_file: no.keys}}
environments:
  prod:
    url: https://contoso.operations.dynamics.com
    proxy: ${PROXY}
    ca_file: no.pem
    sign_in: {tenant: t, client_id: c, secret: "${NOWHERE}"}
tls: {certificate: no.pem, key: no.key}
`, map[string]string{"NOWHERE_FILE": "/does/not/exist"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"finrelay.yaml:2:25: doors.finops.keys[0]: variable KEY is not set", "keys[1].file: read secret", "keys_file: read keys", "PROXY", "sign_in.secret: read secret"} {
		if whole == nil || !strings.Contains(whole.Error(), want) {
			t.Errorf("Load does not say %q: %v", want, whole)
		}
	}
	keys := c.KeysFor("prod")
	if len(keys) != 4 || !keys[0].IsAbsent() || !keys[1].IsAbsent() || keys[2].IsAbsent() || !keys[3].IsAbsent() || keys[0].IsZero() || keys[0].Reveal() != "" {
		t.Errorf("keys: %d, %v", len(keys), keys)
	}
	for field, want := range map[string]bool{
		"doors.finops.keys": true, "environments.prod.sign_in.secret": true, "environments.prod.proxy": true,
		"environments.prod.url": false, "doors.finops": true, "doors.fin": false,
	} {
		if got := c.IsAbsent(field); got != want {
			t.Errorf("IsAbsent(%s) is %v", field, got)
		}
	}
	if err := c.Unset(); err != nil {
		t.Errorf("no plain setting lacks its variable: %v", err)
	}
	got := map[string]string{}
	for _, f := range Lint(c, Facts{}) {
		got[f.Field] = f.Level
	}
	for field, level := range map[string]string{
		"doors.finops.keys[0]": LevelWarn, "environments.prod.proxy": LevelWarn, // variables are the server's own
		"doors.finops.keys[1].file": LevelError, "doors.finops.keys_file": LevelError, // files are there for everybody
		"environments.prod.sign_in.secret": LevelError, "tls": LevelError, "environments.prod.ca_file": LevelError,
	} {
		if got[field] != level {
			t.Errorf("lint says %q of %s, want %q", got[field], field, level)
		}
	}
}

// A file that this user may not read may be readable for the one who serves.
func TestLookAtAnothersFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("correct-horse-battery-staple"), 0); err != nil {
		t.Fatal(err)
	}
	c, whole, err := lookAt(t, "doors: {finops: {keys: [{file: "+key+"}]}}", nil)
	if err != nil || whole == nil || !strings.Contains(whole.Error(), "permission denied") {
		t.Fatalf("Load says %v, LoadToLook %v", whole, err)
	}
	if a := c.Absent(); len(a) != 1 || a[0].Level != LevelWarn || a[0].Line != 1 {
		t.Errorf("absent: %+v", a)
	}
}

// A plain setting without its variable is told apart from a secret, and does
// not stand in the way of those who do not use it.
func TestLookWithoutVariables(t *testing.T) {
	c, whole, err := lookAt(t, `
state: ${STATE}
outputs: {lake: {folder: "${LAKE}"}}
workers: {fetch: "${FETCHERS}"}
flows: [{name: a, outputs: [lake]}]
`, map[string]string{"STATE": "/var/lib/finrelay"})
	if err != nil || c.State != "/var/lib/finrelay" || c.Workers.Fetch != 8 {
		t.Fatalf("%v: %+v", err, c)
	}
	all := c.Unset()
	for _, v := range []string{"LAKE", "FETCHERS"} {
		if all == nil || !strings.Contains(all.Error(), "variable "+v+" is not set") || !strings.Contains(whole.Error(), "variable "+v) {
			t.Errorf("%s is not named: %v", v, all)
		}
	}
	if all.Error() != whole.Error() {
		t.Errorf("Load says\n%v\nand LoadToLook\n%v", whole, all)
	}
	if err := c.Unset("state"); err != nil {
		t.Errorf("the state folder's variable is set: %v", err)
	}
	if len(c.Absent()) > 0 {
		t.Errorf("no secret is absent: %+v", c.Absent())
	}
	if c, _, err = lookAt(t, "state: ${STATE}", nil); err != nil || c.Unset("state") == nil {
		t.Errorf("the state folder is not known, and nothing is said: %v", err)
	}
}

// Whatever else is wrong is as wrong for those who look.
func TestLookIsStrict(t *testing.T) {
	for _, text := range []string{
		"stat: ./data", "workers: {fetch: many}", `doors: {finops: {keys: ["${KEY"]}}`, "match: some", "flows: [{name: a, outputs: [nowhere]}]",
		`doors: {finops: {keys: [""]}}`,
	} {
		if _, whole, look := lookAt(t, text, nil); whole == nil || look == nil || look.Error() != whole.Error() {
			t.Errorf("%s: Load says %v, LoadToLook %v", text, whole, look)
		}
	}
}
