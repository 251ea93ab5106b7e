package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
)

// maxFile bounds the size of the file; a thousand flows fit into a tenth of it.
const maxFile = 1 << 20 // bytes

// Load reads, expands and checks the file at path. Variables are looked up
// with env (os.LookupEnv); nil means that none is set. A file that cannot be
// read, or does not hold a valid configuration, gives *Error, or several joined.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	return load(path, env, false)
}

func load(path string, env func(string) (string, bool), look bool) (*Config, error) {
	data, err := readLimited(path, maxFile)
	if err != nil {
		hint := "check the path given with -c or FINRELAY_CONFIG; config sample and the README show what belongs into the file"
		switch {
		case errors.Is(err, os.ErrPermission):
			hint = "run the command as a user who may read it; without the file, --state-folder names the ledger to look at"
		case !errors.Is(err, os.ErrNotExist):
			hint = ""
		}
		return nil, &Error{File: path, Err: err, Hint: hint}
	}
	return parse(path, data, env, look)
}

// Parse is Load for text that was already read. Relative paths in it are
// relative to the folder of name, which is also the file of its errors.
func Parse(name string, data []byte, env func(string) (string, bool)) (*Config, error) {
	return parse(name, data, env, false)
}

func parse(name string, data []byte, env func(string) (string, bool), look bool) (*Config, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	if len(data) > maxFile {
		return nil, &Error{File: name, Err: fmt.Errorf("larger than %v", Bytes(maxFile))}
	}
	d := newDecoder(name, data, env)
	d.source.look = look
	c := base()
	c.source = d.source
	if root := d.parse(data); root != nil {
		d.section(root, "", reflect.ValueOf(c).Elem())
	}
	c.fill()
	c.resolvePaths(filepath.Dir(name))
	d.readKeyFiles(c)
	// What could not be decoded has left defaults behind; checking those too
	// would report faults that are not in the file.
	d.source.reshow(d.problems)
	if err := joinProblems(d.problems); err != nil {
		return nil, err
	}
	if c.unjudged() {
		return c, nil
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// resolvePaths makes local paths relative to the file's folder, so that the
// program finds the same files whatever folder it is started in.
func (c *Config) resolvePaths(dir string) {
	change(reflect.ValueOf(c).Elem(), "", func(_ string, v reflect.Value, f structField) {
		if f.tag.Get("path") == "local" && v.String() != "" {
			v.SetString(within(dir, v.String()))
		}
	})
}

func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
