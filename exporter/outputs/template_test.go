package outputs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"finrelay/exporter/outputs"
)

func ExampleTemplate_Path() {
	t, err := outputs.ParseTemplate("{environment}/{entity}/{legal_entity}/{yyyy}/{mm}/{export_id}.jsonl")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Path(outputs.Export{
		ID:          "x7q2",
		Environment: "prod",
		Entity:      "Customer groups",
		LegalEntity: "USMF",
		EventTime:   time.Date(2024, 3, 1, 0, 30, 0, 0, time.FixedZone("CET", 3600)),
	}))
	fmt.Println(t.Path(outputs.Export{ID: "x7q3", Environment: "prod", Entity: "Country/regions"}))
	// Output:
	// prod/Customer groups/usmf/2024/02/x7q2.jsonl
	// prod/Country_regions~c38918d1/_/_/_/x7q3.jsonl
}

func TestTemplatePath(t *testing.T) {
	e := outputs.Export{
		ID: "E1", ShipmentID: "S1", Environment: "uat", Flow: "nightly", Entity: "Vendors V2", TargetEntity: "VendVendorV2Entity",
		LegalEntity: "DeMF", ExecutionID: "X 9", Project: "daily", EventTime: time.Date(987, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	for template, want := range map[string]string{
		outputs.DefaultTemplate: "uat/Vendors V2/demf/0987/01/02/E1.jsonl",
		"{flow}/{target_entity}/{project}/{execution_id}-{shipment_id}-{hh}.txt": "nightly/VendVendorV2Entity/daily/X 9-S1-03.txt",
		"plain.jsonl":               "plain.jsonl",
		"N{flow}":                   "Nnightly",
		"{entity}.manifest.json":    "Vendors V2.manifest~08c3476f.json",
		"prn/{entity}":              "_prn~5abeeca4/Vendors V2",
		"{export_id}.BAD.jsonl":     "E1.BAD~39e0b13c.jsonl",
		"{export_id}{export_id}.js": "E1E1.js",
	} {
		tmpl, err := outputs.ParseTemplate(template)
		if err != nil {
			t.Errorf("ParseTemplate(%q): %v", template, err)
			continue
		}
		if got := tmpl.Path(e); got != want {
			t.Errorf("%s: %q, want %q", template, got, want)
		}
		if got, want := tmpl.Distinct(), strings.Contains(template, "{export_id}"); got != want {
			t.Errorf("%s: Distinct() = %t, want %t", template, got, want)
		}
	}
}

func TestParseTemplateRefuses(t *testing.T) {
	for template, want := range map[string]string{
		"":                   "empty",
		"/abs/{export_id}":   "relative",
		"a//b":               "empty",
		"a/":                 "empty",
		"../{export_id}":     "dot",
		"a/.hidden":          "dot",
		"a./b":               "ends with a dot",
		" a/b":               "blank",
		`a\b`:                "not safe",
		"a:b":                "not safe",
		"what?":              "not safe",
		"a~1":                "not safe",
		"tab\t":              "not safe",
		"bad\xff":            "not safe",
		"{export_id":         "closing brace",
		"export_id}":         "closing brace",
		"{}":                 "unknown placeholder {}; known are {environment}",
		"{year}/{export_id}": "unknown placeholder {year}",
		"{Export_ID}":        "unknown placeholder",
	} {
		_, err := outputs.ParseTemplate(template)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseTemplate(%q): %v, want an error with %q", template, err, want)
		}
	}
}
