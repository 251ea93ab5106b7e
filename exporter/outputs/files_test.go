package outputs_test

import (
	"testing"

	"finrelay/exporter/outputs"
	"finrelay/exporter/outputs/outputstest"
)

func TestFilesConform(t *testing.T) {
	for name, options := range map[string]outputs.FilesOptions{
		"defaults":         {},
		"array":            {Format: outputs.FormatJSON},
		"envelope":         {Envelope: true},
		"array, enveloped": {Format: outputs.FormatJSON, Envelope: true},
		"one folder":       {Template: "{export_id}.jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			outputstest.Run(t, func(folder string) outputs.Output {
				options.Name, options.Folder = "files", folder
				out, err := outputs.NewFiles(options)
				if err != nil {
					t.Fatalf("NewFiles(%+v): %v", options, err)
				}
				return out
			})
		})
	}
}

func TestNewFilesRefuses(t *testing.T) {
	for name, o := range map[string]outputs.FilesOptions{
		"no name":          {Folder: "out"},
		"no folder":        {Name: "files"},
		"unknown format":   {Name: "files", Folder: "out", Format: "csv"},
		"unknown template": {Name: "files", Folder: "out", Template: "{nonsense}"},
	} {
		if _, err := outputs.NewFiles(o); err == nil {
			t.Errorf("%s: NewFiles(%+v) took it", name, o)
		}
	}
}
