package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// asFinrelay, set in the environment, makes the test binary the program
// itself, so that tests have real processes to kill.
const asFinrelay = "FINRELAY_TEST_AS_FINRELAY"

// TestMain is three things by turns: the program, when asFinrelay is set; the
// program too, when a script starts it by its name; else the tests, at whose
// end no goroutine may be left.
func TestMain(m *testing.M) {
	if os.Getenv(asFinrelay) != "" {
		if err := obeyTests(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitUsage)
		}
		main()
	}
	testscript.Main(leakChecked{m}, map[string]func(){"finrelay": main})
}

type leakChecked struct{ tests *testing.M }

func (l leakChecked) Run() int {
	code := l.tests.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
