package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"
)

// fingerprint says what JSON Lines hold, whatever the order of keys and the
// manner of escaping: the number of rows, and a hash over every row's keys,
// sorted, and values.
func fingerprint(name string) (rows int, sum string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	for d := json.NewDecoder(bufio.NewReaderSize(f, 1<<20)); ; rows++ {
		var row map[string]string
		if err := d.Decode(&row); errors.Is(err, io.EOF) {
			return rows, hex.EncodeToString(h.Sum(nil)), nil
		} else if err != nil {
			return rows, "", fmt.Errorf("row %d of %s: %w", rows+1, name, err)
		}
		for _, key := range slices.Sorted(maps.Keys(row)) {
			hashText(h, key)
			hashText(h, row[key])
		}
	}
}

// hashText ends each text with a byte that UTF-8 does not have, so that two
// neighbours cannot pass for one.
func hashText(h hash.Hash, s string) {
	_, _ = io.WriteString(h, s)
	_, _ = h.Write([]byte{0xff})
}
