package convert

import "bytes"

// place is how far reading has come, in lines and columns of the source.
type place struct {
	line    int64 // from 1
	before  int64 // source bytes between that line's start and here
	codec   codec // what the text was decoded with; nil for UTF-8
	scratch []byte
}

var newline = []byte{'\n'}

// advance moves over text that was read.
func (p *place) advance(done []byte) {
	lines := bytes.Count(done, newline)
	if lines > 0 {
		p.line += int64(lines)
		p.before = 0
		done = done[bytes.LastIndexByte(done, '\n')+1:]
	}
	p.before += int64(p.sourceLen(done))
}

// after gives line and column, both from 1, of the byte behind ahead.
func (p *place) after(ahead []byte) (line, column int64) {
	line, before := p.line, p.before
	if lines := bytes.Count(ahead, newline); lines > 0 {
		line += int64(lines)
		before = 0
		ahead = ahead[bytes.LastIndexByte(ahead, '\n')+1:]
	}
	return line, before + int64(p.sourceLen(ahead)) + 1
}

// source gives text as it stands in the source, valid until the next call.
func (p *place) source(text []byte) []byte {
	if p.codec == nil {
		return text
	}
	p.scratch = p.codec.encode(p.scratch[:0], text)
	return p.scratch
}

func (p *place) sourceLen(text []byte) int {
	if p.codec == nil || len(text) == 0 {
		return len(text)
	}
	return len(p.source(text))
}
