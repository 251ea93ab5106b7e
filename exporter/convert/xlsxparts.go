package convert

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/zip"

	"finrelay/exporter"
)

// Limits of a workbook's parts.
const (
	maxPlanBytes   = 64 << 20 // of workbook, relationships and styles, which are read whole
	ratioFrom      = 64 << 20 // unpacked bytes of a part from which its ratio counts
	maxRatio       = 1000     // unpacked to packed bytes of a part
	maxWorkbookZip = 10_000   // parts
)

// workbook is an open XLSX file. Its parts are found by their relationships,
// as strict and transitional files have them alike: only the last element of a
// relationship's type counts, and namespaces do not.
//
// Source: ECMA-376 part 2 (packages) and part 1, 18.2.27 (workbook).
type workbook struct {
	ctx     context.Context
	parts   map[string]*zip.File // by lower-case path without a leading slash
	sheets  []sheet
	since04 bool
	dates   []dateKind // of each cell format
	strings string     // path of the shared strings' part; "" when there is none
}

type sheet struct {
	name   string
	path   string
	hidden bool
}

func openWorkbook(ctx context.Context, r io.ReaderAt, size int64) (*workbook, error) {
	z, err := zip.NewReader(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return nil, fmt.Errorf("%w: the directory at the end of the zip cannot be read; was the download cut short? (%v)", exporter.ErrDamaged, err)
	}
	if len(z.File) > maxWorkbookZip {
		return nil, fmt.Errorf("%w: a workbook of %d parts, at most %d", exporter.ErrTooLarge, len(z.File), maxWorkbookZip)
	}
	b := &workbook{ctx: ctx, parts: make(map[string]*zip.File)}
	for _, f := range z.File {
		b.parts[partKey(f.Name)] = f
	}
	at, err := b.main()
	if err != nil {
		return nil, err
	}
	return b, b.plan(at)
}

func partKey(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

// main finds the part that lists the sheets.
func (b *workbook) main() (string, error) {
	if b.parts[partKey("[Content_Types].xml")] == nil {
		return "", fmt.Errorf("a zip that is no workbook: format %w", exporter.ErrUnsupported)
	}
	rels, err := b.relations("")
	if err != nil {
		return "", err
	}
	for _, r := range rels {
		if r.kind != "officeDocument" || b.parts[partKey(r.target)] == nil {
			continue
		}
		if path.Ext(r.target) == ".bin" {
			return "", fmt.Errorf("a binary workbook (XLSB): format %w; save it as XLSX and hand that file over", exporter.ErrUnsupported)
		}
		return r.target, nil
	}
	return "", fmt.Errorf("an Office file without a workbook: format %w", exporter.ErrUnsupported)
}

// plan reads what is not rows: sheets, date system, formats.
func (b *workbook) plan(at string) error {
	var book struct {
		XMLName xml.Name
		Pr      struct {
			Since04 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name  string     `xml:"name,attr"`
			State string     `xml:"state,attr"`
			Attr  []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := b.decode(at, &book); err != nil {
		return err
	}
	if book.XMLName.Local != "workbook" {
		return fmt.Errorf("an Office file that is no workbook (%s): format %w", book.XMLName.Local, exporter.ErrUnsupported)
	}
	b.since04 = book.Pr.Since04 == "1" || book.Pr.Since04 == "true"
	rels, err := b.relations(at)
	if err != nil {
		return err
	}
	byID := make(map[string]relation, len(rels))
	for _, r := range rels {
		byID[r.id] = r
		switch r.kind {
		case "sharedStrings":
			b.strings = r.target
		case "styles":
			if err := b.styles(r.target); err != nil {
				return err
			}
		}
	}
	for _, s := range book.Sheets {
		for _, a := range s.Attr {
			if r := byID[a.Value]; a.Name.Local == "id" && r.kind == "worksheet" {
				b.sheets = append(b.sheets, sheet{name: s.Name, path: r.target, hidden: s.State != "" && s.State != "visible"})
			}
		}
	}
	return nil
}

// styles finds out which cell formats show a number as a date.
func (b *workbook) styles(at string) error {
	var s struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := b.decode(at, &s); err != nil {
		return err
	}
	own := make(map[int]dateKind, len(s.Formats))
	for _, f := range s.Formats {
		own[f.ID] = dateCode(f.Code)
	}
	b.dates = make([]dateKind, len(s.Cells))
	for i, c := range s.Cells {
		kind, ok := own[c.Format]
		if !ok {
			kind = builtInDate(c.Format)
		}
		b.dates[i] = kind
	}
	return nil
}

type relation struct{ id, kind, target string }

// relations reads what a part, "" for the package, leads to inside the file.
func (b *workbook) relations(of string) ([]relation, error) {
	var list struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
			Mode   string `xml:"TargetMode,attr"`
		} `xml:"Relationship"`
	}
	folder, file := path.Split(of)
	at := folder + "_rels/" + file + ".rels"
	if err := b.decode(at, &list); err != nil {
		return nil, err
	}
	var all []relation
	for _, r := range list.All {
		if r.Mode == "External" {
			continue
		}
		target := strings.ReplaceAll(r.Target, `\`, "/")
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/", folder, target)
		}
		all = append(all, relation{r.ID, path.Base(r.Type), strings.TrimPrefix(path.Clean(target), "/")})
	}
	return all, nil
}

// decode reads a small part whole.
func (b *workbook) decode(at string, into any) error {
	p, err := b.open(at)
	if err != nil {
		return err
	}
	defer p.Close()
	p.allow(maxPlanBytes)
	d := p.decoder()
	root, err := rootElement(d)
	if err == nil {
		err = d.DecodeElement(into, &root)
	}
	if err != nil {
		return p.explain(err)
	}
	return nil
}
