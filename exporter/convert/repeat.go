package convert

import "fmt"

// Repeat says what a caller can do about a composite whose first rows go out
// before it is known which records they lack.
type Repeat uint8

// What a caller can do. With the last two Result.Repeat may ask for a second
// conversion, of the same bytes.
const (
	// RepeatNever: the bytes come once. Rows go out as they are.
	RepeatNever Repeat = iota
	// RepeatAfresh: what the sink got can be discarded. From where rows are known
	// to be uneven the sink is given nothing more.
	RepeatAfresh
	// RepeatUnseen: what the sink got cannot be taken back. A composite is read
	// to its end before the sink is given anything, if its first record stands
	// among the rows of the first block, about 128 KB of JSON.
	RepeatUnseen
)

// Again gives the options of the second conversion that res asks for.
func (o Options) Again(res Result) Options {
	o.Records, o.Repeat = res.Records, RepeatNever
	return o
}

// RecordsText says in words that there were more records than are learned; ""
// when there were not.
func (r Result) RecordsText() string {
	if !r.MoreRecords {
		return ""
	}
	return fmt.Sprintf("more kinds of nested records than the %d that are kept track of: the others have no key in rows without them", len(r.Records))
}

// mute decides, before rows go out, whether they are worth it.
func (e *emitter) mute() {
	switch e.repeat {
	case RepeatAfresh:
		e.muted = e.muted || e.res.Uneven
	case RepeatUnseen:
		e.muted = e.muted || e.rows > 0 && e.res.Rows == 0 && len(e.res.Records) > 0
	}
	e.res.Repeat = e.muted
}

// end gives the sink the last rows. All is known then: what is even need not be
// read again if nothing was withheld yet.
func (e *emitter) end() error {
	if e.res.Rows == 0 && !e.res.Uneven {
		e.repeat = RepeatNever
	}
	return e.flush()
}
