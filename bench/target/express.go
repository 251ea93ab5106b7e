package target

import (
	"context"
	"os"
	"path/filepath"
)

// Express is the peer: express and better-sqlite3 (peers/express).
type Express struct {
	Home   string // where peers.Install put it
	Schema string // finrelay's folder of migrations
	Folder string // for its database and log; created
}

// Database is the path of its database.
func (e Express) Database() string { return filepath.Join(e.Folder, "express.db") }

// Start starts the server on a free port.
func (e Express) Start(ctx context.Context) (*Process, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(e.Folder, 0o755); err != nil {
		return nil, err
	}
	port := addr[len("127.0.0.1:"):]
	return Start(ctx, Command{
		Name: "express",
		Args: []string{"node", filepath.Join(e.Home, "server.js"), port, e.Database(), e.Schema, Key},
		Addr: addr,
		Log:  filepath.Join(e.Folder, "express.log"),
	})
}
