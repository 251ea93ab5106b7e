package doors

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// refusalEvery is how often a refusal of one kind is logged: whoever can reach
// the door can be refused, and must not fill the disk with it.
const refusalEvery = time.Second

// maxNameShown is how much of an unknown environment's name is logged, in bytes.
const maxNameShown = 64

// refusals logs what a door turns away. The sender's third try is its last, so
// this line may be the only trace of an export that never came. The zero value
// is ready; calls may be concurrent.
type refusals struct {
	mu   sync.Mutex
	seen map[refusalKind]*refusalCount
}

// refusalKind is what shares a limit. Environments that are not configured
// share one, so that inventing names neither logs more nor takes memory, and
// noise at one environment does not hide another's loss.
type refusalKind struct {
	environment string // "" for all that are not configured
	status      int
}

type refusalCount struct {
	logged  time.Time // when a line of this kind was last written
	leftOut int       // refusals since, without a line
}

// log writes a line, or counts it for the next one of its kind. It names
// neither key nor query.
func (l *refusals) log(to *slog.Logger, r *http.Request, known bool, status int, why string) {
	environment := r.PathValue("environment")
	kind := refusalKind{environment: environment, status: status}
	if !known {
		kind.environment, environment = "", plainName(environment)
	}
	leftOut, ok := l.turn(kind, time.Now())
	if !ok {
		return
	}
	line := to.With("environment", environment, "remote", r.RemoteAddr, "status", status, "why", why)
	if leftOut > 0 {
		line = line.With("left_out", leftOut)
	}
	line.Warn("event refused")
}

func (l *refusals) turn(kind refusalKind, now time.Time) (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.seen[kind]
	if c == nil {
		c = &refusalCount{}
		if l.seen == nil {
			l.seen = map[refusalKind]*refusalCount{}
		}
		l.seen[kind] = c
	} else if now.Sub(c.logged) < refusalEvery {
		c.leftOut++
		return 0, false
	}
	leftOut = c.leftOut
	*c = refusalCount{logged: now}
	return leftOut, true
}

// plainName is a stranger's name up to the first character that names do not
// have: an address with its "?" percent-encoded carries the key in its path.
func plainName(name string) string {
	end := strings.IndexFunc(name, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	})
	if end < 0 {
		end = len(name)
	}
	if end = min(end, maxNameShown); end < len(name) {
		return name[:end] + "..."
	}
	return name
}
