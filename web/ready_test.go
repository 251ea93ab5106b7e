package web

import (
	"database/sql"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"finrelay/state"
)

// Strangers are told in a line what is wrong, whoever runs finrelay why, and
// monitoring that it is.
func TestReady(t *testing.T) {
	r := newRig(t)
	ask := func() (int, string) {
		w := httptest.NewRecorder()
		Ready(r.relay).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
		return w.Code, w.Body.String()
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(r.folder, state.File)+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON probes BEGIN SELECT RAISE(ABORT, 'SECRET'); END`); err != nil {
		t.Fatal(err)
	}
	if code, text := ask(); code != 503 || text != "the ledger cannot be written\n" {
		t.Errorf("%d %q", code, text)
	}
	serving := &API{DB: r.db, Relay: r.relay, Serving: true}
	v, err := Local(serving.Handler()).Status(t.Context(), "")
	if err != nil || !v.Unwell() || len(v.Troubles) != 1 || !strings.Contains(v.Troubles[0].Detail, "SECRET") {
		t.Errorf("%+v, %v", v.Troubles, err)
	}
	// Who only looks, without a server, does not write.
	if v, err := r.local.Status(t.Context(), ""); err != nil || v.Unwell() {
		t.Errorf("%+v, %v", v.Troubles, err)
	}
}

// An output that is not there makes a status unwell, though its exports move on
// by themselves when it is back.
func TestMissingOutputIsUnwell(t *testing.T) {
	for reason, want := range map[state.Reason]bool{state.ReasonOutputMissing: true, state.ReasonOutput: false} {
		v := StatusView{Waiting: []WaitView{{Wait: state.Wait{Kind: state.KindDelivery, Output: "lake", Reason: reason, Count: 1}}}}
		if v.Unwell() != want {
			t.Errorf("%s: unwell %t", reason, v.Unwell())
		}
	}
}
