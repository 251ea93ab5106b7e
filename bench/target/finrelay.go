package target

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Key opens the door of the servers under test.
const Key = "bench-key"

// Environment is the name events are posted under.
const Environment = "bench"

// Finrelay is a finrelay with a folder of its own: configuration, state,
// output, log.
type Finrelay struct {
	Bin    string
	Folder string // created
	Strace bool   // count syncs; slower
	Queue  *Queue // polled beside the door; nil = none
}

// Queue is a recurring data job of a simulated FinOps.
type Queue struct {
	URL                      string // of FinOps, on this machine
	Tenant, ClientID, Secret string
	Activity                 string
}

// State is the folder of the ledger.
func (f Finrelay) State() string { return filepath.Join(f.Folder, "state") }

// Out is the folder that exports land in.
func (f Finrelay) Out() string { return filepath.Join(f.Folder, "out") }

// ConfigFile is the configuration's path. It exists after Start.
func (f Finrelay) ConfigFile() string { return filepath.Join(f.Folder, "finrelay.yaml") }

// SyncCount is the file that strace writes when a traced server has ended.
func (f Finrelay) SyncCount() string { return filepath.Join(f.Folder, "syncs.txt") }

const config = `listen: %q
state: %q
environments:
  bench:
    loopback_links: true
    link_hosts: ["127.0.0.1"]
%sdoors:
  finops:
    keys: [%s]
outputs:
  out:
    type: files
    folder: %q
flows:
  - name: all
    entities: ["*"]
    outputs: [out]
%sshutdown:
  grace: 1s
`

// config gives the lines of the environment and of the flow.
func (q *Queue) config() (signIn, flow string) {
	if q == nil {
		return "", ""
	}
	return fmt.Sprintf("    url: %[1]q\n    sign_in: {method: v1, tenant: %[2]q, client_id: %[3]q, secret: %[4]q, authority: %[1]q}\n", q.URL, q.Tenant, q.ClientID, q.Secret),
		fmt.Sprintf("    queue: {environment: %s, activity: %q, backlog: land}\n", Environment, q.Activity)
}

// Start writes the configuration and starts the server on a free port.
func (f Finrelay) Start(ctx context.Context) (*Process, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.Folder, 0o755); err != nil {
		return nil, err
	}
	signIn, queue := f.Queue.config()
	text := fmt.Sprintf(config, addr, f.State(), signIn, Key, f.Out(), queue)
	if err := os.WriteFile(f.ConfigFile(), []byte(text), 0o600); err != nil {
		return nil, err
	}
	c := Command{
		Name: "finrelay",
		Args: []string{f.Bin, "serve", "-c", f.ConfigFile()},
		Addr: addr,
		Log:  filepath.Join(f.Folder, "serve.log"),
	}
	if f.Strace {
		c.Strace = f.SyncCount()
	}
	return Start(ctx, c)
}

// Door is the URL that events are posted to.
func (p *Process) Door() string {
	return "http://" + p.Addr + "/in/finops/" + Environment + "?code=" + Key
}
