package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// keyBytes is the randomness of a generated key: beyond guessing.
const keyBytes = 32

// EnsureKey gives the key in the file at path, and makes one first if there is
// no such file, which created reports. The folder must exist. The file has mode
// 0600 and is on disk when EnsureKey returns; of several processes that call
// it at once, one makes the key and all get the same.
//
// The key is written beside its place and linked into it, so that neither a
// crash nor another process ever finds half a key under the name.
func EnsureKey(path string) (key Secret, created bool, err error) {
	text, err := readSecret(path)
	if err == nil {
		return NewSecret(text), false, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return Secret{}, false, err
	}
	raw := make([]byte, keyBytes)
	_, _ = rand.Read(raw) // never fails: the runtime ends the process instead
	text = base64.RawURLEncoding.EncodeToString(raw)
	switch err := publish(path, text+"\n"); {
	case errors.Is(err, os.ErrExist):
		text, err = readSecret(path)
		return NewSecret(text), false, err
	case err != nil:
		return Secret{}, false, fmt.Errorf("create key file %s: %w", path, err)
	}
	return NewSecret(text), true, nil
}

// publish makes a durable file of mode 0600 that was not there before.
func publish(path, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // O_EXCL, 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the new name itself durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
