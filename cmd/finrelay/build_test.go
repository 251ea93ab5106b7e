package main

import (
	"testing"

	"finrelay/cmd/finrelay/config"
	"finrelay/exporter/fetch"
)

// loopback_links says all that is needed for the simulator's links, beside the
// default hosts and beside a list of one's own; without it a list does not help.
func TestLoopbackLinks(t *testing.T) {
	const link = "http://127.0.0.1:1/dmf/x.csv?sv=2021-12-02&se=2100-01-01T00%3A00%3A00Z"
	for yaml, allowed := range map[string]bool{
		"environments: {e: {loopback_links: true}}":                                        true,
		"environments: {e: {loopback_links: true, link_hosts: [a.blob.core.windows.net]}}": true,
		"environments: {e: {loopback_links: false}}":                                       false,
		"environments: {e: {loopback_links: false, link_hosts: [127.0.0.1]}}":              false,
	} {
		cfg, err := config.Parse("test.yaml", []byte(yaml), nil)
		if err != nil {
			t.Fatalf("%s: %v", yaml, err)
		}
		environment, ok := cfg.Environment("e")
		if !ok {
			t.Fatalf("%s: no environment e", yaml)
		}
		opt, err := linkOptions(environment)
		if err != nil {
			t.Fatalf("%s: %v", yaml, err)
		}
		client := fetch.NewClient(opt)
		if _, err := client.Link(link); (err == nil) != allowed {
			t.Errorf("%s: link to this machine gives %v, want allowed %v", yaml, err, allowed)
		}
		client.Close()
	}
}

// Without a file links to this machine are followed as long as nobody else can
// send one; a file, be it empty, allows what it says.
func TestLoopbackLinksWithoutFile(t *testing.T) {
	empty, err := config.Parse("test.yaml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	open, loopback := config.Default(), config.Default()
	open.Listen, loopback.Listen = "0.0.0.0:8686", "[::1]:0"
	builtIn := config.Default()
	for name, c := range map[string]struct {
		cfg  *config.Config
		want bool
	}{
		"no file": {&builtIn, true}, "another loopback address": {&loopback, true},
		"no file, others can send": {&open, false}, "an empty file": {empty, false},
	} {
		if got := c.cfg.AnyEnvironment().LoopbackLinks; got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
