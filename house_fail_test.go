package finrelay_test

import (
	"strings"
	"testing"
	"testing/fstest"
)

// The rules are only worth something if breaking them shows. Each tree breaks
// one; the first breaks none.
func TestHouseRulesCanFail(t *testing.T) {
	const doc = "// Package x is for this test.\npackage x\n"
	tests := []struct {
		name string
		tree map[string]string
		want string // part of the only finding; "" for none
	}{
		{"nothing wrong", map[string]string{
			"exporter/fetch/doc.go":        doc,
			"exporter/fetch/x.go":          "package x\nimport _ \"finrelay/exporter\"\nimport _ \"finrelay/dmf\"\nimport _ \"os\"\n",
			"exporter/fetch/x_test.go":     "package x_test\nimport _ \"finrelay/exporter/fetch\"\nimport _ \"finrelay/dmf/sim\"\n",
			"exporter/fetch/testdata/y.go": "package util\nimport _ \"finrelay/state\"\n",
			"tools/go.mod":                 "module finrelay/tools\n",
			"tools/x.go":                   "package util\n",
			"bench/gen/doc.go":             doc + "import _ \"finrelay/state\"\n// TODO(operations): drop when measured.\n",
		}, ""},
		{"a step of the road knows another", map[string]string{"exporter/fetch/doc.go": doc + "import _ \"finrelay/exporter/unpack\"\n"}, "imports exporter/unpack"},
		{"outputs know only themselves", map[string]string{"exporter/outputs/outputstest/doc.go": doc + "import _ \"finrelay/exporter/convert\"\n"}, "imports exporter/convert"},
		{"the exporter touches the ledger", map[string]string{"exporter/doc.go": doc + "import _ \"finrelay/state\"\n"}, "imports state"},
		{"dmf looks up", map[string]string{"dmf/doc.go": doc + "import _ \"finrelay/exporter\"\n"}, "imports exporter"},
		{"dmf ships its simulator", map[string]string{"dmf/doc.go": doc + "import _ \"finrelay/dmf/sim\"\n"}, "imports dmf/sim"},
		{"sim looks sideways", map[string]string{"dmf/sim/doc.go": doc + "import _ \"finrelay/state\"\n"}, "imports state"},
		{"state looks sideways", map[string]string{"state/doc.go": doc + "import _ \"finrelay/dmf\"\n"}, "imports dmf"},
		{"flows looks up", map[string]string{"flows/doc.go": doc + "import _ \"finrelay/web\"\n"}, "imports web"},
		{"flows ships the simulator", map[string]string{"flows/doc.go": doc + "import _ \"finrelay/dmf/sim\"\n"}, "imports dmf/sim"},
		{"flows knows its doors", map[string]string{"flows/doc.go": doc + "import _ \"finrelay/flows/doors\"\n"}, "imports flows/doors"},
		{"a door touches the ledger", map[string]string{"flows/doors/doc.go": doc + "import _ \"finrelay/state\"\n"}, "imports state"},
		{"web skips flows", map[string]string{"web/doc.go": doc + "import _ \"finrelay/exporter/fetch\"\n"}, "imports exporter/fetch"},
		{"a test reaches too far", map[string]string{"state/doc.go": doc, "state/x_test.go": "package x\nimport _ \"finrelay/flows\"\n"}, "imports flows"},
		{"a folder without a place", map[string]string{"attic/doc.go": doc}, "attic: no rule"},
		{"another system's file counts", map[string]string{"dmf/doc.go": doc, "dmf/x_windows.go": "//go:build windows\n\npackage x\nimport _ \"finrelay/state\"\n"}, "imports state"},
		{"no doc.go", map[string]string{"dmf/x.go": doc}, "dmf: has no doc.go"},
		{"an empty doc.go", map[string]string{"dmf/doc.go": "package dmf\n"}, "dmf: has no doc.go"},
		{"flows reads the environment", map[string]string{"flows/doc.go": doc + "import sys \"os\"\nvar v = sys.Getenv(\"V\")\n"}, "uses os.Getenv"},
		{"a door reads the arguments", map[string]string{"flows/doors/doc.go": doc + "import \"os\"\nvar v = os.Args\n"}, "uses os.Args"},
		{"flows hides what it uses", map[string]string{"flows/doc.go": doc + "import . \"os\"\n"}, "with a dot"},
		{"a package for everything", map[string]string{"dmf/sim/doc.go": doc, "dmf/sim/common/doc.go": doc}, `"common" says nothing`},
		{"a folder for everything", map[string]string{"state/helpers/doc.go": doc}, `"helpers" says nothing`},
		{"a file for everything", map[string]string{"dmf/doc.go": doc, "dmf/http_util.go": "package dmf\n"}, `"util" says nothing`},
		{"a test file for everything", map[string]string{"dmf/doc.go": doc, "dmf/helper_test.go": "package dmf\n"}, `"helper" says nothing`},
		{"nobody's work", map[string]string{"dmf/doc.go": doc + "// TODO: later\n"}, "without an owner"},
		{"nobody's fault", map[string]string{"dmf/doc.go": doc + "// FIXME wrong\n"}, "without an owner"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, src := range tt.tree {
				root[name] = &fstest.MapFile{Data: []byte(src)}
			}
			tree, err := readTree(root)
			if err != nil {
				t.Fatal(err)
			}
			found := inspect(tree)
			if tt.want == "" {
				if len(found) != 0 {
					t.Errorf("found %q, want nothing", found)
				}
				return
			}
			if len(found) != 1 || !strings.Contains(found[0], tt.want) {
				t.Errorf("found %q, want one finding with %q", found, tt.want)
			}
		})
	}
}
