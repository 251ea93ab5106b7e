package config_test

import (
	"errors"
	"fmt"

	"finrelay/cmd/finrelay/config"
)

func ExampleParse() {
	text := `
flows:
  - name: customers
    entities: ["Customer groups"]
    output: [files]
outputs:
  files: {folder: /srv/out}
`
	_, err := config.Parse("finrelay.yaml", []byte(text), nil)
	fmt.Println(err)
	if e, ok := errors.AsType[*config.Error](err); ok {
		fmt.Println("line", e.Line)
	}
	// Output:
	// finrelay.yaml:5:5: flows[0]: unknown key: "output"
	//         output: [<redacted>
	//         ^
	//   did you mean outputs?
	// line 5
}

func ExampleLint() {
	text := `
outputs:
  files: {folder: /srv/out, path: "{entity}/{yyyy}-{mm}-{dd}.jsonl"}
`
	c, err := config.Parse("finrelay.yaml", []byte(text), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range config.Lint(c, config.Facts{}) {
		fmt.Printf("line %d, %s, %s: %s\n", f.Line, f.Level, f.Field, f.Message)
	}
	// Output:
	// line 3, error, outputs.files.path: two exports can have the same path: the second one could not land
}
