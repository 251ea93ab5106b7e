package dmf

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxWrapping bounds how often a JSON string may hold JSON again.
const maxWrapping = 4

var (
	errNoBody     = errors.New("the body is empty")
	errTrailing   = errors.New("more text after the event")
	errNoEvents   = errors.New("an array without events")
	errWrapping   = errors.New("JSON strings that hold JSON are nested too deeply")
	errUnknown    = errors.New("an object with none of the fields that make a business event")
	errUnreadLink = errors.New("is not a string, so the link cannot be read")
)

const warnReplaced = "the body is not valid UTF-8; bad bytes were replaced"

// DecodeBusinessEvents reads the body of a notification: an event's object, an
// array of them, or a JSON string that holds either (as an element of the
// array too). A byte order mark and white space around are passed over; UTF-16
// is read when it has its mark.
//
// Keys are found as names says. A key that comes twice counts with its last
// value that is not null and not empty. A field of the wrong type counts as
// absent and leaves a warning in its event, with one exception: a link that is
// there but cannot be read makes the body unreadable, because an event without
// a link is left alone.
//
// The error is an *EventError. It is all or nothing: one element that is no
// event (not an object, or an object without any of the fields BusinessEventID,
// EventID, DownloadURL, EntityName, ControlNumber and RecID) makes the body
// unreadable, as does an empty array. Envelopes of other carriers (Event Grid,
// Dataverse) are therefore errors, unless names lead into them. The events do
// not share memory with body.
func DecodeBusinessEvents(body []byte, names FieldNames) ([]BusinessEvent, error) {
	text := textOf(body)
	clean := utf8.ValidString(text)
	if !clean {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	d := eventDecoder{keys: names.keys()}
	if err := d.body(text, 0); err != nil {
		return nil, err
	}
	if !clean {
		for i := range d.events {
			d.events[i].warn(warnReplaced)
		}
	}
	return d.events, nil
}

type eventDecoder struct {
	keys   fieldKeys
	events []BusinessEvent
}

// body reads a whole text: the body itself, or what a JSON string holds.
func (d *eventDecoder) body(text string, wrapping int) error {
	s := &scanner{s: text}
	s.space()
	if s.i == len(text) {
		return s.fail(errNoBody)
	}
	if err := d.one(s, wrapping, true); err != nil {
		return err
	}
	if s.space(); s.i < len(text) {
		return s.fail(errTrailing)
	}
	return nil
}

// one reads what stands for one event or, where arrays are allowed, several.
func (d *eventDecoder) one(s *scanner, wrapping int, arrays bool) error {
	at := s.i
	switch c := s.peek(); {
	case c == '{':
		return d.object(s)
	case c == '[' && arrays:
		return d.array(s, wrapping)
	case c == '"':
		return d.wrapped(s, wrapping)
	}
	v, err := s.value(0)
	if err != nil {
		return err
	}
	return &EventError{Offset: int64(at), Err: fmt.Errorf("%v, want an event", v.kind)}
}

func (d *eventDecoder) array(s *scanner, wrapping int) error {
	at, before := s.i, len(d.events)
	if err := s.array(func() error { return d.one(s, wrapping, false) }); err != nil {
		return err
	}
	if len(d.events) == before {
		return &EventError{Offset: int64(at), Err: errNoEvents}
	}
	return nil
}

func (d *eventDecoder) wrapped(s *scanner, wrapping int) error {
	if wrapping >= maxWrapping {
		return s.fail(errWrapping)
	}
	text, err := s.str()
	if err != nil {
		return err
	}
	return d.body(strings.TrimPrefix(text, "\uFEFF"), wrapping+1)
}

// slot is the best value of one field so far.
type slot struct {
	value
	rank int // of its key in the field's list; the lowest wins
	set  bool
}

// object reads one event.
func (d *eventDecoder) object(s *scanner) error {
	var slots [fieldCount]slot
	known := false
	start := s.i
	err := d.members(s, "", 0, func(path string, v value) { known = d.file(&slots, path, v) || known })
	if err != nil {
		return err
	}
	if !known {
		return &EventError{Offset: int64(start), Err: errUnknown}
	}
	if link := slots[fieldDownloadURL]; link.set && link.kind != kindString {
		return &EventError{Offset: int64(link.at), Err: fmt.Errorf("%s %w", d.keys.name(fieldDownloadURL), errUnreadLink)}
	}
	d.events = append(d.events, d.event(&slots, s.s[start:s.i]))
	return nil
}

// members calls member for each value of an object, and for those of the
// objects in it that names lead into, with its path.
func (d *eventDecoder) members(s *scanner, prefix string, depth int, member func(path string, v value)) error {
	return s.object(func(key string) error {
		v, err := s.value(depth + 1)
		if err != nil {
			return err
		}
		path := prefix + key
		member(path, v)
		if v.kind != kindObject || !d.keys.within(path) {
			return nil
		}
		inner := &scanner{s: s.s[:s.i], i: v.at} // the same text, so that offsets are the body's
		return d.members(inner, path+".", depth+1, member)
	})
}

// file puts a value into the slots of the fields that go by key. It says
// whether the key is one of those that make an object an event.
func (d *eventDecoder) file(slots *[fieldCount]slot, key string, v value) (known bool) {
	empty := v.kind == kindNull || v.kind == kindString && strings.TrimSpace(v.text) == ""
	for f := range fieldCount {
		rank := d.keys.rank(f, key)
		if rank < 0 {
			continue
		}
		known = known || f < identifyingFields
		if sl := &slots[f]; !empty && (!sl.set || rank <= sl.rank) {
			*sl = slot{v, rank, true}
		}
	}
	return known
}
