package sim

import (
	"archive/zip"
	"bytes"
	"time"

	"finrelay/dmf"
)

// Member is one data file of a data package.
type Member struct {
	Entity       string // label; "" for a file that is no entity's
	TargetEntity string // AOT name; "" as in packages of older versions
	File         string // name in the archive; "" = as FinOps names it: label and extension
	Ext          string // of the name FinOps gives, without a dot
	SourceFormat string // "CSV-Unicode", "XML-Element", ...
	RefreshType  string // "FullPush", "Incremental"; "" leaves it out
	Columns      []string
	Rows         int // what the file holds, for the event's count
	Data         []byte
	Undeclared   bool // in the archive, not in the manifest
	Absent       bool // in the manifest, not in the archive
}

// PackageOptions says what is odd about a package as a whole.
type PackageOptions struct {
	NoManifest bool // neither Manifest.xml nor PackageHeader.xml
	Stored     bool // members are not compressed
}

// Member renders the table as a package's data file of a full push.
func (s *Sim) Member(f Format, t Table) Member {
	return Member{
		Entity:       t.Label,
		TargetEntity: t.Target,
		Ext:          f.Ext(),
		SourceFormat: f.SourceFormat(),
		RefreshType:  "FullPush",
		Columns:      t.Columns,
		Rows:         len(t.Rows),
		Data:         s.Render(f, t),
	}
}

// packaged is the time stamp of every member: same members, same bytes.
var packaged = time.Date(2026, 3, 2, 9, 15, 42, 0, time.UTC)

// Package returns a data package as FinOps makes it: a flat zip, members
// deflated, with Manifest.xml and PackageHeader.xml in UTF-16LE. Members keep
// their order. project is the data project's name.
func (s *Sim) Package(project string, members ...Member) []byte {
	return s.PackageWith(PackageOptions{}, project, members...)
}

// PackageWith is Package with options.
func (s *Sim) PackageWith(opt PackageOptions, project string, members ...Member) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name string, data []byte) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: packaged}
		if opt.Stored {
			h.Method = zip.Store
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			panic("sim: write package to memory: " + err.Error()) // only a name above 64 KiB can fail
		}
	}
	if !opt.NoManifest {
		put(dmf.ManifestName, dmf.EncodeManifest(manifestOf(project, members)))
		put(dmf.PackageHeaderName, dmf.EncodePackageHeader(dmf.PackageHeader{Description: project}))
	}
	for _, m := range members {
		if !m.Absent {
			put(m.fileName(), m.Data)
		}
	}
	if err := z.Close(); err != nil {
		panic("sim: write package to memory: " + err.Error())
	}
	return b.Bytes()
}

func (m Member) fileName() string {
	if m.File != "" {
		return m.File
	}
	return dmf.FileName(m.Entity, m.Ext)
}

func manifestOf(project string, members []Member) dmf.Manifest {
	m := dmf.Manifest{DefinitionGroup: dmf.DefinitionGroup(project)}
	for i, member := range members {
		if member.Undeclared {
			continue
		}
		e := dmf.ManifestEntity{
			EntityName:    member.Entity,
			InputFilePath: member.fileName(),
			TargetEntity:  member.TargetEntity,
			RefreshType:   member.RefreshType,
			SourceFormat:  member.SourceFormat,
			ExecutionUnit: 1,
			Level:         1,
			Sequence:      i + 1,
		}
		for _, c := range member.Columns {
			e.Columns = append(e.Columns, dmf.ManifestColumn{EntityField: c, FileField: c})
		}
		m.Entities = append(m.Entities, e)
	}
	return m
}
