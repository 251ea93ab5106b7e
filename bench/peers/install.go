package peers

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Install copies a peer's folder to the cache folder, outside the repository,
// and lets npm install what its lock file says; parts in C are compiled where
// no built ones can be had. It does nothing when that has been done for the
// same files. Home is where the peer's script and node_modules are.
func Install(ctx context.Context, source, cache string) (home string, err error) {
	name := filepath.Base(source)
	entries, err := os.ReadDir(source)
	if err != nil {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	hash := sha256.New()
	files := map[string][]byte{}
	for _, entry := range entries {
		if entry.IsDir() {
			continue // node_modules of someone who tried it there
		}
		content, err := os.ReadFile(filepath.Join(source, entry.Name()))
		if err != nil {
			return "", fmt.Errorf("install %s: %w", name, err)
		}
		files[entry.Name()] = content
		fmt.Fprintf(hash, "%s %d\n%s", entry.Name(), len(content), content)
	}
	home = filepath.Join(cache, fmt.Sprintf("%s-%x", name, hash.Sum(nil)[:6]))
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
		return "", fmt.Errorf("install %s in %s: %w: %s", name, home, err, complaint(string(out)))
	}
	return home, os.WriteFile(complete, nil, 0o644)
}

// complaint is the first thing that npm says of an error: what follows are its
// manual and hints.
func complaint(out string) string {
	var said []string
	for line := range strings.Lines(out) {
		line, found := strings.CutPrefix(strings.TrimSpace(line), "npm error ")
		if found && !strings.HasPrefix(line, "code ") {
			said = append(said, line)
		}
		if len(said) == 3 {
			break
		}
	}
	if len(said) == 0 {
		return strings.TrimSpace(out)
	}
	return strings.Join(said, " ")
}

// Version is that of a package installed in home; "" when it is not there.
func Version(home, name string) string {
	content, err := os.ReadFile(filepath.Join(home, "node_modules", filepath.FromSlash(name), "package.json"))
	if err != nil {
		return ""
	}
	var about struct{ Version string }
	if json.Unmarshal(content, &about) != nil {
		return ""
	}
	return about.Version
}
