package config

import _ "embed" // the sample is a file, so that editors check it like any other

//go:embed sample.yaml
var sample string

// Sample gives a commented file to start from. It needs the variable
// FINRELAY_KEY and nothing else.
func Sample() string { return sample }
