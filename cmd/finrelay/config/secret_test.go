package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const hidden = "hunter2-hunter2"

// TestSecretsArePrintedNowhere prints a Config with secrets in every way a
// program may, deliberately and by accident.
func TestSecretsArePrintedNowhere(t *testing.T) {
	c := mustParse(t, `
doors: {finops: {keys: ["${KEY}"]}}
environments: {prod: {keys: ["`+hidden+`"], proxy: "http://user:`+hidden+`@proxy:8080"}}
`, map[string]string{"KEY": hidden})
	key := c.Doors.FinOps.Keys[0]
	if key.Reveal() != hidden {
		t.Fatalf("Reveal gives %q", key.Reveal())
	}
	nested := struct{ key Secret }{key} // fmt calls no methods here
	outputs := map[string]string{"String": key.String()}
	// Vet knows only constant formats; these come from a table.
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		outputs[verb] = fmt.Sprintf(verb, key)
		outputs[verb+" pointer"] = fmt.Sprintf(verb, &key)
		outputs[verb+" nested"] = fmt.Sprintf(verb, nested)
		outputs[verb+" all"] = fmt.Sprintf(verb, c.Environments)
		outputs[verb+" config"] = fmt.Sprintf(verb, *c)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	outputs["json"] = string(text)
	if text, err = yaml.Marshal(c); err != nil {
		t.Fatal(err)
	}
	outputs["yaml"] = string(text)
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "key", key, "environment", c.Environments["prod"], "proxy", c.Environments["prod"].Proxy)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "key", key, "config", c)
	outputs["slog"] = b.String()
	b.Reset()
	if err := c.Show(&b); err != nil {
		t.Fatal(err)
	}
	outputs["show"] = b.String()
	for how, out := range outputs {
		if strings.Contains(out, hidden) || strings.Contains(out, fmt.Sprintf("%x", hidden)) {
			t.Errorf("%s shows the secret: %s", how, out)
		}
	}
	for _, how := range []string{"%v", "%#v", "%q", "show", "slog", "json"} {
		shown := strings.ReplaceAll(outputs[how], `\u003c`, "<")
		shown = strings.ReplaceAll(shown, `\u003e`, ">")
		if !strings.Contains(shown, redacted) {
			t.Errorf("%s does not say that something is hidden: %s", how, outputs[how])
		}
	}
	if strings.Contains(outputs["show"], "user:xxxxx@proxy") == false {
		t.Errorf("show hides more of the proxy than its password:\n%s", outputs["show"])
	}
}

func TestSecretSources(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, dir, "key", "from-file\n")
	c := mustParse(t, `
doors: {finops: {keys: ["${A}", "${B}", "x-${A}-$${A}", "${C:-fallback}", {file: "`+file+`"}]}}
`, map[string]string{"A": "from-env", "B_FILE": file})
	var got []string
	for _, k := range c.Doors.FinOps.Keys {
		got = append(got, k.Reveal())
	}
	want := "from-env|from-file|x-from-env-${A}|fallback|from-file"
	if strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
