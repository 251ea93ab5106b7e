package state

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// holdFolder, set in the environment, makes the test binary a process that
// holds a state folder until it is killed.
const holdFolder = "FINRELAY_TEST_HOLD_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(holdFolder); folder != "" {
		os.Exit(holdUntilKilled(folder))
	}
	// 100, rapid's own number of walks, take too long beside the other tests;
	// the command line still decides.
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// holdUntilKilled accepts one event, says so, and then waits for its end with
// a download claimed.
func holdUntilKilled(folder string) int {
	ctx := context.Background()
	db, err := OpenLedger(ctx, folder, Options{AnyFilesystem: true})
	if err == nil {
		_, err = db.Accept(ctx, []Arrival{arrival("held")})
	}
	if err == nil {
		_, err = db.ClaimFetches(ctx, FetchClaims{Owner: "killed", Limit: 1})
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("holding")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}
