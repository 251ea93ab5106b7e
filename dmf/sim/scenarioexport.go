package sim

import (
	"bytes"
	"io"
)

// playExport runs the step's project and puts the files where the step says.
func (s *Sim) playExport(st ScenarioStep, pads *pads) []Played {
	company := orElse(st.LegalEntity, "usmf")
	project := s.projectNamed(st.Project)
	if st.Grow > 0 {
		for _, e := range project.Entities {
			s.Grow(st.Project, e.Label, st.Grow)
		}
	}
	run := s.batch(st.Project, company)
	base := Played{ExecutionID: run.id, Project: project.Name, LegalEntity: company}
	if !st.Bare {
		p, e := base, s.snapshot(run)
		p.Rows, p.Blob = e.Rows(), e.Blob
		if len(project.Entities) == 1 {
			p.Entity = project.Entities[0].Label
		}
		return []Played{s.publish(st, p)}
	}
	var all []Played
	for _, t := range run.tables {
		p := base
		p.Entity, p.Rows = t.Label, len(t.Rows)
		data := joined{bytes.NewReader(s.Render(project.Format, t))}
		if st.Pad > 0 {
			tail := pads.of(s, project.Format, t.Label, st.Pad)
			data, p.Rows = append(data, bytes.NewReader(tail.text)), p.Rows+tail.rows
		}
		p.Blob = s.PutBlobFrom(s.blobName(t.Label, project.Format.Ext()), data, data.size(), BlobOptions{})
		all = append(all, s.publish(st, p))
	}
	return all
}

// publish makes the event and the message of a file.
func (s *Sim) publish(st ScenarioStep, p Played) Played {
	if st.Event {
		e := s.identify(Event{
			EntityName: orElse(p.Entity, p.Project), LegalEntity: p.LegalEntity, DownloadURL: s.Link(p.Blob, LinkOptions{}),
			NoOfRecords: p.Rows, Style: EventStyle(st.Style), ExecutionID: p.ExecutionID, DefinitionGroup: p.Project,
		})
		p.Event = &e
	}
	if st.Queue != "" {
		opt := MessageOptions{Blob: p.Blob, ExecutionID: p.ExecutionID}
		if st.NoFile {
			opt.Blob, opt.NoFile, p.Blob = nil, true, nil
		}
		p.Message = s.Enqueue(st.Queue, nil, opt)
	}
	return p
}

func (s *Sim) projectNamed(name string) Project {
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	return s.packages.mustFind(name).Project
}

// pads are rows that fill files up, rendered once and shared by all files of
// an entity: two thousand files of 200 KB then take the memory of one.
type pads struct{ made map[padKey]pad }

type padKey struct {
	format Format
	label  string
	size   int
}

type pad struct {
	text []byte // lines without a header
	rows int
}

// of returns rows of at least size bytes.
func (ps *pads) of(s *Sim, f Format, label string, size int) pad {
	k := padKey{f, label, size}
	if p, ok := ps.made[k]; ok {
		return p
	}
	g := s.grower(label, "pad "+label)
	header := render(f, g.first(0))
	p := pad{rows: 16}
	for {
		p.text = bytes.TrimPrefix(render(f, g.first(p.rows)), header)
		if len(p.text) >= size {
			break
		}
		p.rows = max(p.rows+1, p.rows*size/max(1, len(p.text)))
	}
	if ps.made == nil {
		ps.made = make(map[padKey]pad)
	}
	ps.made[k] = p
	return p
}

// joined reads several readers as one after the other.
type joined []*bytes.Reader

func (j joined) size() (n int64) {
	for _, r := range j {
		n += r.Size()
	}
	return n
}

// ReadAt implements io.ReaderAt.
func (j joined) ReadAt(p []byte, off int64) (n int, err error) {
	for _, r := range j {
		if off >= r.Size() {
			off -= r.Size()
			continue
		}
		m, err := r.ReadAt(p[n:], off)
		n, off = n+m, 0
		if n == len(p) {
			return n, nil
		}
		if err != nil && err != io.EOF {
			return n, err
		}
	}
	return n, io.EOF
}
