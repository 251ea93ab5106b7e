package outputs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
)

// Formats of a data file.
const (
	FormatJSONL = "jsonl" // one row a line
	FormatJSON  = "json"  // one array, one row a line
)

// rowEncoder turns blocks of JSON Lines into the bytes of a data file. It
// looks at line ends only, never into a row: the rows are valid JSON already,
// and this is the hot path.
type rowEncoder struct {
	array  bool
	before []byte // envelope around each row; nil when there is none
	after  []byte
	rows   int64
}

func newRowEncoder(format string, envelope bool, e Export) (*rowEncoder, error) {
	enc := &rowEncoder{array: format == FormatJSON}
	if !envelope {
		return enc, nil
	}
	var head bytes.Buffer
	out := json.NewEncoder(&head)
	out.SetEscapeHTML(false) // labels look as they do in the manifest
	err := out.Encode(struct {
		Entity      string `json:"entity"`
		LegalEntity string `json:"legal_entity"`
		OrderKey    string `json:"order_key"`
		ExportID    string `json:"export_id"`
	}{e.Entity, e.LegalEntity, e.OrderKey, e.ID})
	if err != nil {
		return nil, fmt.Errorf("encode envelope of export %s: %w", e.ID, err)
	}
	enc.before = append(bytes.TrimSuffix(head.Bytes(), []byte("}\n")), `,"row":`...)
	enc.after = []byte("}")
	return enc, nil
}

// block writes complete lines. Write errors stay in w (bufio keeps the first
// one), so only the last write of each row is looked at.
func (enc *rowEncoder) block(w *bufio.Writer, lines []byte, rows int) error {
	if n := bytes.Count(lines, []byte("\n")); n != rows {
		return fmt.Errorf("%w: a block of %d rows has %d line ends", ErrRowCount, rows, n)
	}
	if len(lines) > 0 && lines[len(lines)-1] != '\n' {
		return fmt.Errorf("%w: a block ends in the middle of a line", ErrRowCount)
	}
	if !enc.array && enc.before == nil {
		enc.rows += int64(rows)
		_, err := w.Write(lines)
		return err
	}
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\n')
		if err := enc.row(w, lines[:end]); err != nil {
			return err
		}
		lines = lines[end+1:]
	}
	return nil
}

func (enc *rowEncoder) row(w *bufio.Writer, row []byte) error {
	switch {
	case enc.array && enc.rows == 0:
		w.WriteString("[\n")
	case enc.array: // a comma is known to be due only when another row comes
		w.WriteString(",\n")
	}
	enc.rows++
	w.Write(enc.before)
	w.Write(row)
	_, err := w.Write(enc.after)
	if !enc.array {
		err = w.WriteByte('\n')
	}
	return err
}

// end writes what stands after the last row.
func (enc *rowEncoder) end(w *bufio.Writer) error {
	var err error
	switch {
	case enc.array && enc.rows == 0:
		_, err = w.WriteString("[]\n")
	case enc.array:
		_, err = w.WriteString("\n]\n")
	}
	return err
}
