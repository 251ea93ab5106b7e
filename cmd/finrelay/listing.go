package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// listing is a table that is made to fit the terminal.
type listing struct {
	head []string
	rows [][]string
	// spare are the columns that go first when there is no room for all, by
	// their heads.
	spare []string
	// files are where each row's file is, under fileHead, if that is given. They are the
	// last column where there is room, else each has a line of its own below its
	// row: a path that is cut is of no use.
	files    [][]string
	fileHead string
}

// drawListing prints a table at the width of the terminal; elsewhere all of it,
// a line a row.
func (a *app) drawListing(l listing) error {
	width := a.width()
	if l.fileHead != "" {
		whole := l.withFiles()
		if width == 0 || whole.width() <= width {
			return table(a.stdout, whole.head, whole.rows)
		}
	}
	for _, name := range l.spare {
		if width > 0 && l.width() > width {
			l.drop(name)
		}
	}
	var text bytes.Buffer
	if err := table(&text, l.head, l.rows); err != nil {
		return err
	}
	lines := strings.SplitAfter(text.String(), "\n")
	for i, line := range lines {
		if _, err := io.WriteString(a.stdout, line); err != nil {
			return err
		}
		if n := i - 1; n >= 0 && n < len(l.files) {
			for _, path := range l.files[n] {
				if _, err := fmt.Fprintf(a.stdout, "    %s\n", oneLine(path)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (l listing) withFiles() listing {
	whole := listing{head: append(slices.Clone(l.head), l.fileHead)}
	for i, row := range l.rows {
		whole.rows = append(whole.rows, append(slices.Clone(row), dash(strings.Join(l.files[i], ", "))))
	}
	return whole
}

func (l *listing) drop(name string) {
	at := slices.Index(l.head, name)
	if at < 0 {
		return
	}
	l.head = slices.Delete(slices.Clone(l.head), at, at+1)
	for i, row := range l.rows {
		l.rows[i] = slices.Delete(slices.Clone(row), at, at+1)
	}
}

// width is how wide the table is, in characters, with two between columns.
func (l listing) width() int {
	all := -2
	for column := range l.head {
		widest := utf8.RuneCountInString(l.head[column])
		for _, row := range l.rows {
			widest = max(widest, utf8.RuneCountInString(row[column]))
		}
		all += widest + 2
	}
	return all
}
