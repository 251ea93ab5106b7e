package ris

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// maxFile bounds what is read; a thousand jobs take about 3 MB.
const maxFile = 16 << 20 // bytes

// schedule is Schedule.xml as it stands.
//
// Source: Quartz.NET, job_scheduling_data_2_0.xsd, for the elements; the
// scheduler writes them with its own code, Scheduler.cs in
// microsoft/Recurring-Integrations-Scheduler. Namespaces are not checked.
type schedule struct {
	XMLName   xml.Name `xml:"job-scheduling-data"`
	Schedules []struct {
		Jobs     []job     `xml:"job"`
		Triggers []trigger `xml:"trigger"`
	} `xml:"schedule"`
}

type job struct {
	Name        string  `xml:"name"`
	Group       string  `xml:"group"`
	Description string  `xml:"description"`
	Type        string  `xml:"job-type"`
	Entries     []entry `xml:"job-data-map>entry"`
}

type entry struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// trigger holds one of the three.
type trigger struct {
	Cron     *timing `xml:"cron"`
	Simple   *timing `xml:"simple"`
	Calendar *timing `xml:"calendar-interval"`
}

// timing has the fields of all three kinds of trigger.
type timing struct {
	JobName  string `xml:"job-name"`
	JobGroup string `xml:"job-group"`

	Expression string `xml:"cron-expression"`
	Zone       string `xml:"time-zone"`

	Interval string `xml:"repeat-interval"`
	Unit     string `xml:"repeat-interval-unit"`
	Count    string `xml:"repeat-count"`

	Start string `xml:"start-time"`
	End   string `xml:"end-time"`
}

func (t trigger) timing() *timing {
	for _, one := range []*timing{t.Cron, t.Simple, t.Calendar} {
		if one != nil {
			return one
		}
	}
	return nil
}

// defaultGroup is the group of a job that names none.
// Source: Quartz.NET, Key.DefaultGroup.
const defaultGroup = "DEFAULT"

// key is what a job is known by; triggers refer to it.
func key(name, group string) string {
	if group = strings.TrimSpace(group); group == "" {
		group = defaultGroup
	}
	return strings.TrimSpace(group) + "\x00" + strings.TrimSpace(name)
}

// read decodes the file: UTF-8 as the scheduler writes it, or what an editor
// has made of it.
func read(r io.Reader) (schedule, error) {
	var s schedule
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return s, err
	}
	if len(data) > maxFile {
		return s, fmt.Errorf("larger than %d MiB: not a schedule", maxFile>>20)
	}
	data, marked, err := unmark(data)
	if err != nil {
		return s, err
	}
	d := xml.NewDecoder(strings.NewReader(string(data)))
	d.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		if marked {
			return input, nil // the mark has been believed, not the declaration
		}
		enc, err := htmlindex.Get(label)
		if err != nil {
			return nil, fmt.Errorf("encoding %q is not known", label)
		}
		return transform.NewReader(input, enc.NewDecoder()), nil
	}
	err = d.Decode(&s)
	if errors.Is(err, io.EOF) {
		return s, errors.New("no XML in it")
	}
	if err != nil {
		return s, fmt.Errorf("not the scheduler's Schedule.xml: %w", err)
	}
	return s, nil
}

// unmark turns text with a byte order mark into UTF-8 without one.
func unmark(data []byte) (text []byte, marked bool, err error) {
	for _, mark := range []string{"\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF"} {
		if strings.HasPrefix(string(data[:min(len(data), 3)]), mark) {
			text, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), data)
			return text, true, err
		}
	}
	return data, false, nil
}
