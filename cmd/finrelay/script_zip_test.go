package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func cmdMakeZip(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg, len(args) >= 2, "make-zip ZIP NAME=FILE...")
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, arg := range args[1:] {
		name, file, ok := strings.Cut(arg, "=")
		usageOf(ts, neg, ok, "make-zip ZIP NAME=FILE...")
		member, err := w.Create(name)
		ts.Check(err)
		_, err = io.WriteString(member, ts.ReadFile(file))
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), archive.Bytes(), 0o666))
}
