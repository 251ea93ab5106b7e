package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/itchyny/gojq"
	"github.com/rogpeppe/go-internal/testscript"

	"finrelay/dmf/sim"
	"finrelay/web"
)

// TestScript runs the command line as a person does, one behaviour a file in
// testdata/script. Besides testscript's own commands a script may say:
//
//	exits CODE finrelay ARGS...   run it; its exit code is exactly CODE
//	jq EXPR                       EXPR is true of the JSON on the last standard output
//	jqenv NAME EXPR               put EXPR's value, a string, into $NAME
//	same                          the last two runs' standard outputs are equal, byte for byte
//
//	start-server [FLAGS...]       run finrelay serve on a free port; sets $DOOR, and $KEY if one was generated
//	stop-server                   end it with SIGTERM; its log becomes standard error
//	kill-server                   end it with SIGKILL
//	post FILE [ENVIRONMENT]       send a body to the door with $KEY; status and answer become standard output;
//	                              sets $EVENT and $SHIPMENT. With $CERT, trusts that certificate alone
//	sim-export [FLAGS] ENTITY...  FinOps exports and sends its event; see script_sim_test.go for the flags
//	sim-finops FILE               put the simulator's address into a configuration
//	sim-run [FLAGS] PROJECT ENTITY...  FinOps runs a data project; sets $RUN; see script_finops_test.go for the flags
//	sim-queue [-hang] ENTITY...   put a message with a file of each into the queue of the simulator's activity; see
//	                              script_finops_test.go
//	wait-status EXPR              wait until EXPR is true of ./data's status as JSON
//	wait-rest                     wait until nothing is on its way in ./data
//	make-cert CERT KEY            a certificate for 127.0.0.1 and its key
//	make-zip ZIP NAME=FILE...     an archive, whatever the members are called
//
// A script's simulator lives in the test's process. It and the server end with
// the script.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUpScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":        cmdExits,
			"jq":           cmdJQ,
			"jqenv":        cmdJQEnv,
			"same":         cmdSame,
			"start-server": cmdStartServer,
			"stop-server":  cmdStopServer,
			"kill-server":  cmdKillServer,
			"hup-server":   cmdHupServer,
			"post":         cmdPost,
			"ask":          cmdAsk,
			"sim-export":   cmdSimExport,
			"sim-finops":   cmdSimFinOps,
			"sim-run":      cmdSimRun,
			"sim-queue":    cmdSimQueue,
			"sim-calm":     cmdSimCalm,
			"wait-status":  cmdWaitStatus,
			"wait-rest":    cmdWaitRest,
			"make-cert":    cmdMakeCert,
			"make-zip":     cmdMakeZip,
		},
	})
}

// scriptParts are what one script keeps between its lines.
type scriptParts struct {
	finops *sim.Sim      // made by the first sim-export
	server *serveProcess // nil when none runs
	before string        // the standard output of the run before the last
	last   string
}

type partsKey struct{}

func setUpScript(env *testscript.Env) error {
	parts := &scriptParts{}
	env.Values[partsKey{}] = parts
	env.Setenv("GORACE", quickRaceExit)
	env.Defer(func() {
		if parts.server != nil {
			_ = parts.server.Kill()
		}
		if parts.finops != nil {
			_ = parts.finops.Close()
		}
	})
	return nil
}

func partsOf(ts *testscript.TestScript) *scriptParts { return ts.Value(partsKey{}).(*scriptParts) }

// usageOf ends a script that uses a command wrongly. None can be negated:
// "! exits 1" would say little.
func usageOf(ts *testscript.TestScript, neg, ok bool, usage string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) >= 2, "exits CODE PROGRAM ARGS...")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		got, err = ended.ExitCode(), nil
	}
	ts.Check(err)
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	parts := partsOf(ts)
	parts.before, parts.last = parts.last, ts.ReadFile("stdout")
}

func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 0, "same")
	if parts := partsOf(ts); parts.before != parts.last {
		ts.Fatalf("the outputs differ:\n%s\n---\n%s", parts.before, parts.last)
	}
}

// evaluate gives an expression's only value on the last standard output.
func evaluate(ts *testscript.TestScript, expr string) any {
	query, err := gojq.Parse(expr)
	ts.Check(err)
	out := ts.ReadFile("stdout")
	var input any
	if err := json.Unmarshal([]byte(out), &input); err != nil {
		ts.Fatalf("standard output is not one JSON value: %v", err)
	}
	value, ok := query.Run(input).Next()
	if err, bad := value.(error); bad || !ok {
		ts.Fatalf("%s: %v", expr, err)
	}
	return value
}

func cmdJQ(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 1, "jq EXPR")
	if value := evaluate(ts, args[0]); value != true {
		ts.Fatalf("%s is %v, not true, of\n%s", args[0], value, ts.ReadFile("stdout"))
	}
}

func cmdJQEnv(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 2, "jqenv NAME EXPR")
	value, ok := evaluate(ts, args[1]).(string)
	if !ok || value == "" {
		ts.Fatalf("%s is no string of\n%s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], value)
}

// restTimeout is how long work may take on a busy machine.
const restTimeout = 30 * time.Second

func cmdWaitRest(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 0, "wait-rest")
	ts.Check(waitRest(ts.MkAbs("data")))
}

func cmdWaitStatus(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) == 1, "wait-status EXPR")
	query, err := gojq.Parse(args[0])
	ts.Check(err)
	ts.Check(waitStatus(ts.MkAbs("data"), func(v web.StatusView) bool {
		text, err := json.Marshal(v)
		ts.Check(err)
		var input any
		ts.Check(json.Unmarshal(text, &input))
		value, _ := query.Run(input).Next()
		return value == true
	}))
}

// waitRest waits until a server has nothing on its way. What a door answered
// with 2xx counts as on its way from then on.
func waitRest(stateFolder string) error {
	return waitStatus(stateFolder, func(v web.StatusView) bool { return v.OnTheWay == 0 })
}

func waitStatus(stateFolder string, enough func(web.StatusView) bool) error {
	socket, err := web.SocketPath(stateFolder)
	if err != nil {
		return err
	}
	client := web.Dial(socket)
	ctx, cancel := context.WithTimeout(context.Background(), restTimeout)
	defer cancel()
	for start := time.Now(); ; time.Sleep(lookAgain) {
		v, err := client.Status(ctx, "")
		if err != nil {
			return fmt.Errorf("after %s: %w", time.Since(start), err)
		}
		if enough(v) {
			return nil
		}
		if time.Since(start) > restTimeout-time.Second {
			return fmt.Errorf("after %s: %d on the way: %+v", time.Since(start), v.OnTheWay, v.Lines)
		}
	}
}
