package sim

import (
	"finrelay/dmf"
)

// ExportSpec says what an export writes. Exactly one of Members, Data, Table
// is used, in this order; with none, Rows of SampleEntity.
type ExportSpec struct {
	Entity      string // label
	LegalEntity string // "" = "usmf"
	Format      Format // "" = CSVUTF8BOM

	Rows    int      // of the sample entity; 0 = header only
	Table   *Table   // data of the caller's own
	Data    []byte   // a file of the caller's own; Format gives its extension
	Members []Member // a data package instead of a bare file; the project is DefinitionGroup or Entity

	NoOfRecords     *int // the event's count; nil = the true one, for Data 0
	Style           EventStyle
	ExecutionID     string // "" = not sent
	DefinitionGroup string // "" = not sent
	Link            LinkOptions
	Blob            BlobOptions
}

// Export does what a finished export job does: stores the file and makes the
// event with a fresh link and rising numbers. Sending it is the caller's
// business: Send(ctx, endpoint, Payload(event)).
func (s *Sim) Export(spec ExportSpec) (Event, *Blob) {
	if spec.Format == "" {
		spec.Format = CSVUTF8BOM
	}
	data, ext, rows := s.exported(spec)
	if spec.NoOfRecords != nil {
		rows = *spec.NoOfRecords
	}
	b := s.PutBlob(s.blobName(spec.Entity, ext), data, spec.Blob)
	return s.identify(Event{
		EntityName:      spec.Entity,
		LegalEntity:     orElse(spec.LegalEntity, "usmf"),
		DownloadURL:     s.Link(b, spec.Link),
		NoOfRecords:     rows,
		Style:           spec.Style,
		ExecutionID:     spec.ExecutionID,
		DefinitionGroup: spec.DefinitionGroup,
	}), b
}

// exported returns the file's bytes, extension and rows.
func (s *Sim) exported(spec ExportSpec) (data []byte, ext string, rows int) {
	switch {
	case spec.Members != nil:
		for _, m := range spec.Members {
			if !m.Absent {
				rows += m.Rows
			}
		}
		return s.Package(orElse(spec.DefinitionGroup, spec.Entity), spec.Members...), "zip", rows
	case spec.Data != nil:
		return spec.Data, spec.Format.Ext(), 0
	case spec.Table != nil:
		return s.Render(spec.Format, *spec.Table), spec.Format.Ext(), len(spec.Table.Rows)
	}
	return s.Render(spec.Format, s.SampleEntity(spec.Entity, spec.Rows)), spec.Format.Ext(), spec.Rows
}

// blobName makes a name that says nothing reliable about entity or content.
//
// Source: munib00/MSDYN365FO-EventBasedIntegration, sample event: the label cut
// to 10 characters, a GUID in braces without dashes, the extension, as in
// "Customer g{D1A2E1DB24F548AB9A24F8EC65D05DC1}.json".
func (s *Sim) blobName(label, ext string) string {
	short := []rune(dmf.FileName(label, ""))
	if len(short) > 10 {
		short = short[:10]
	}
	return string(short) + "{" + s.ids.hex32("blob") + "}." + ext
}
