package config

import (
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
)

// Show writes the configuration that is in effect as YAML: defaults filled in,
// variables expanded, paths as they are used, keys and proxy passwords hidden.
// A file with hidden keys is refused by Load, so that nobody serves one.
func (c *Config) Show(w io.Writer) error {
	text, err := yaml.MarshalWithOptions(c, yaml.Indent(2), yaml.IndentSequence(true))
	if err != nil {
		return fmt.Errorf("encode configuration: %w", err)
	}
	_, err = w.Write(text)
	return err
}
