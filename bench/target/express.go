package target

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Express is the peer: express and better-sqlite3 (peers/express).
type Express struct {
	Home   string // where InstallExpress put it
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

// InstallExpress copies the peer from source into the cache folder, outside the
// repository, and lets npm install what its lock file says; better-sqlite3 is
// compiled where no built one can be had. It does nothing when that has been
// done for the same files.
func InstallExpress(ctx context.Context, source, cache string) (home string, err error) {
	hash := sha256.New()
	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json", "server.js"} {
		content, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return "", fmt.Errorf("install express: %w", err)
		}
		files[name] = content
		hash.Write(content)
	}
	home = filepath.Join(cache, fmt.Sprintf("express-%x", hash.Sum(nil)[:6]))
	complete := filepath.Join(home, "complete")
	if _, err := os.Stat(complete); err == nil {
		return home, nil
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(home, name), content, 0o644); err != nil {
			return "", err
		}
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = home
	npm.Env = os.Environ()
	if _, err := os.Stat("/usr/include/node/node.h"); err == nil {
		// node's own headers are here: node-gyp need not look for them elsewhere.
		npm.Env = append(npm.Env, "npm_config_nodedir=/usr")
	}
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("install express in %s: %w\n%s", home, err, out)
	}
	return home, os.WriteFile(complete, nil, 0o644)
}
