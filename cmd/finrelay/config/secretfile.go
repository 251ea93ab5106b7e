package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecretFile bounds a file with secrets; a larger one is the wrong file.
const maxSecretFile = 64 << 10 // bytes

// readLimited reads a regular file or pipe of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, pathless(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, pathless(err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("larger than %v", Bytes(limit))
	}
	return data, nil
}

// pathless drops the path from a file error: ours already name it.
func pathless(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("%s: %w", pe.Op, pe.Err)
	}
	return err
}

// readSecret reads the one secret in a file. Line breaks at its end are an
// editor's and are dropped.
func readSecret(path string) (string, error) {
	data, err := readLimited(path, maxSecretFile)
	if err != nil {
		return "", fmt.Errorf("read secret from %s: %w", shownPath(path), err)
	}
	text := strings.TrimRight(string(data), "\r\n")
	switch {
	case text == "":
		return "", fmt.Errorf("read secret from %s: the file is empty", shownPath(path))
	case strings.ContainsAny(text, "\r\n"):
		return "", fmt.Errorf("read secret from %s: the file has more than one line; keys_file reads one key a line", shownPath(path))
	}
	return text, nil
}

// readSecrets reads a file with one secret a line.
func readSecrets(path string) ([]Secret, error) {
	data, err := readLimited(path, maxSecretFile)
	if err != nil {
		return nil, fmt.Errorf("read keys from %s: %w", shownPath(path), err)
	}
	var keys []Secret
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			keys = append(keys, NewSecret(line))
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("read keys from %s: no key in the file", shownPath(path))
	}
	return keys, nil
}

// readKeyFiles adds the keys of keys_file to those of keys.
func (d *decoder) readKeyFiles(c *Config) {
	add := func(field, path string, keys *[]Secret) {
		if path == "" {
			return
		}
		more, err := readSecrets(path)
		if err != nil {
			e := d.source.locate(&Error{Field: field, Err: d.source.hush(field, err)}, "")
			if d.forgo(e, false) {
				*keys = append(*keys, absentSecret)
				return
			}
			d.problems = append(d.problems, e)
			return
		}
		*keys = append(*keys, more...)
		d.source.secretFiles = append(d.source.secretFiles, secretFile{field, path})
	}
	add("doors.finops.keys_file", c.Doors.FinOps.KeysFile, &c.Doors.FinOps.Keys)
	for _, name := range sortedKeys(c.Environments) {
		env := c.Environments[name]
		add("environments."+name+".keys_file", env.KeysFile, &env.Keys)
		c.Environments[name] = env
	}
}

// secretLookup is how variables are found for a secret: NAME, or the content
// of the file that NAME_FILE names, as container platforms hand secrets over.
func (d *decoder) secretLookup(field string) lookup {
	return func(name string) (string, bool, error) {
		value, ok := d.env(name)
		path, inFile := d.env(name + "_FILE")
		switch {
		case ok && inFile:
			return "", false, fmt.Errorf("both %s and %s_FILE are set: unset one of them", name, name)
		case !inFile:
			return value, ok, nil
		}
		text, err := readSecret(path)
		if err != nil {
			return "", false, err
		}
		d.source.secretFiles = append(d.source.secretFiles, secretFile{field, path})
		return text, true, nil
	}
}
