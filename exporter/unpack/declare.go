package unpack

import (
	"errors"
	"fmt"
	"io"
	"path"

	"finrelay/dmf"
)

// maxXMLBytes bounds a manifest, which is read into memory. One of a hundred
// entities with all their columns has about 12 MB in UTF-16.
const maxXMLBytes = 64 << 20

// declare gives the members what the manifest says of them. A manifest that is
// missing, doubled or damaged leaves the file names and a warning.
func (c *Contents) declare(entries []*entry) {
	manifest, err := readXML(c, entries, dmf.ManifestName, isManifest, dmf.DecodeManifest)
	if err != nil {
		c.warnf("%v; entities are taken from the file names", err)
	}
	c.Project = string(manifest.DefinitionGroup)
	if c.Project == "" {
		c.Project = c.projectFromHeader(entries)
	}
	if err != nil {
		return
	}
	c.match(manifest.Entities)
	for _, m := range c.Members {
		if !m.Declared {
			c.warnf("%q is not in the manifest; its entity is taken from the file name", m.Name)
		}
	}
}

// projectFromHeader reads the other XML file, which has nothing else we need.
func (c *Contents) projectFromHeader(entries []*entry) string {
	header, err := readXML(c, entries, dmf.PackageHeaderName, isHeader, dmf.DecodePackageHeader)
	if err != nil {
		c.warnf("%v; the data project is unknown", err)
	}
	return header.Description
}

// readXML decodes the one entry that is of the kind asked for.
func readXML[T any](c *Contents, entries []*entry, what string, is func(name string) bool, decode func([]byte) (T, error)) (T, error) {
	var none T
	var found *entry
	for _, e := range entries {
		if !is(e.name) {
			continue
		}
		if found != nil {
			return none, fmt.Errorf("the package has more than one %s", what)
		}
		found = e
	}
	if found == nil {
		return none, fmt.Errorf("the package has no %s", what)
	}
	data, err := c.small(found)
	if err != nil {
		return none, fmt.Errorf("%s cannot be opened: %w", what, err)
	}
	return decode(data)
}

// small reads an entry into memory.
func (c *Contents) small(e *entry) ([]byte, error) {
	if err := checkEntry(e, Limits{MemberBytes: maxXMLBytes}.orDefaults()); err != nil {
		return nil, err
	}
	r, err := c.stream(e)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

// match pairs declared files with members: by the file name first, and where
// the manifest has the label's own characters in it ("Country/regions.csv"),
// by the name FinOps makes of that.
func (c *Contents) match(declared []dmf.ManifestEntity) {
	byName := map[string]*Member{}
	taken := map[string]string{} // entity by file name
	for i := range c.Members {
		m := &c.Members[i]
		if key := foldName(base(m.Name)); byName[key] == nil {
			byName[key] = m
		}
		taken[m.Name] = m.Entity
	}
	for _, d := range declared {
		m := find(byName, d)
		switch {
		case m == nil && d.Disabled: // not exported, so rightly absent
		case m == nil:
			c.miss(taken, d)
		case m.Declared:
			c.warnf("the manifest gives %q to the entities %q and %q; it is taken for the first", m.Name, m.Entity, d.EntityName)
		default:
			m.declare(d)
		}
	}
}

// miss lists a declared file as missing, unless its name is taken: those who
// keep the list know its lines by the file.
func (c *Contents) miss(taken map[string]string, d dmf.ManifestEntity) {
	file := d.InputFilePath
	if file == "" {
		file = dmf.FileName(d.EntityName, "")
	}
	if first, twice := taken[file]; twice {
		c.warnf("the manifest names %q, which is absent, for %q beside %q; only one is listed", file, d.EntityName, first)
		return
	}
	taken[file] = d.EntityName
	c.Missing = append(c.Missing, Missing{Entity: d.EntityName, File: file})
}

func find(byName map[string]*Member, d dmf.ManifestEntity) *Member {
	for _, name := range []string{
		base(d.InputFilePath),
		dmf.FileName(d.InputFilePath, ""),
		dmf.FileName(d.EntityName, path.Ext(d.InputFilePath)),
	} {
		if m := byName[foldName(name)]; m != nil && name != "" {
			return m
		}
	}
	return nil
}

func (m *Member) declare(d dmf.ManifestEntity) {
	m.Declared = true
	m.TargetEntity, m.RefreshType, m.SourceFormat = d.TargetEntity, d.RefreshType, d.SourceFormat
	if d.EntityName != "" {
		m.Entity = d.EntityName
	}
}
