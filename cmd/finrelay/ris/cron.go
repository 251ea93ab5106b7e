package ris

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// field is one place of a cron expression.
type field struct {
	name     string
	min, max int
	names    []string // from min upwards
	shift    int      // added to each number on the way to cron's numbering
}

var (
	minutes = field{name: "minutes", max: 59}
	hours   = field{name: "hours", max: 23}
	days    = field{name: "day of month", min: 1, max: 31}
	months  = field{name: "month", min: 1, max: 12, names: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}}
	// Source: Quartz.NET counts from Sunday = 1, cron from Sunday = 0.
	weekdays = field{name: "day of week", min: 1, max: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}, shift: -1}
)

// loss is something that cron's five fields cannot say.
type loss struct {
	what    string
	oftener bool // without it the expression fires at more times, not only at others within the minute
}

func (l loss) String() string { return l.what }

// toCron turns Quartz's six or seven fields (seconds first, a year at the end)
// into cron's five. What five fields cannot say is left away so that the
// result fires more often, never less: polling an empty queue does no harm.
// lost names each such thing. It fails on what is no expression at all.
//
// Source: Quartz.NET, "Cron Trigger" tutorial, for the fields, ? L W # and
// ranges that wrap around.
func toCron(expression string) (cron string, lost []loss, err error) {
	parts := strings.Fields(strings.ToUpper(expression))
	if len(parts) != 6 && len(parts) != 7 {
		return "", nil, fmt.Errorf("%d fields instead of 6 or 7", len(parts))
	}
	lose := func(what string, oftener bool) { lost = append(lost, loss{what, oftener}) }
	switch second, err := strconv.Atoi(parts[0]); {
	case err != nil:
		lose("seconds "+parts[0]+" (at most once a minute here)", false)
	case second < 0 || second > 59:
		return "", nil, fmt.Errorf("seconds %q", parts[0])
	case second != 0:
		lose("second "+parts[0]+" (at the full minute here)", false)
	}
	if len(parts) == 7 && parts[6] != "*" {
		lose("year "+parts[6]+" (every year here)", true)
	}
	if parts[3] != "?" && parts[3] != "*" && parts[5] != "?" && parts[5] != "*" {
		// cron would take either day, Quartz refuses both.
		lose("day of week "+parts[5]+" beside a day of month", true)
		parts[5] = "?"
	}
	out := make([]string, 0, 5)
	for i, f := range []field{minutes, hours, days, months, weekdays} {
		part := parts[i+1]
		if special(f, part) {
			lose(f.name+" "+part+" (any day here)", true)
			part = "*"
		}
		text, err := f.convert(part)
		if err != nil {
			return "", nil, err
		}
		out = append(out, text)
	}
	return strings.Join(out, " "), lost, nil
}

// special reports what only Quartz can say: the last day, the nearest weekday,
// the third Friday.
func special(f field, part string) bool {
	switch f.name {
	case days.name:
		return strings.ContainsAny(part, "LW")
	case weekdays.name:
		return strings.Contains(part, "#") || strings.HasSuffix(part, "L")
	}
	return false
}

// convert reads a field into the numbers it stands for and writes those.
func (f field) convert(part string) (string, error) {
	on := map[int]bool{}
	for item := range strings.SplitSeq(part, ",") {
		if err := f.read(item, on); err != nil {
			return "", fmt.Errorf("%s %q: %w", f.name, part, err)
		}
	}
	var values []int
	for v := range on {
		values = append(values, v+f.shift)
	}
	slices.Sort(values)
	return write(values, f.min+f.shift, f.max+f.shift), nil
}

// read sets the numbers of one item: *, ?, 5, 5-9, 0/15, */15, 22-2, MON-FRI.
func (f field) read(item string, on map[int]bool) error {
	span, stepText, stepped := strings.Cut(item, "/")
	step := 1
	if stepped {
		var err error
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 || step > f.max {
			return fmt.Errorf("step %q", stepText)
		}
	}
	from, to := f.min, f.max
	switch first, last, ranged := strings.Cut(span, "-"); {
	case span == "*", span == "?" && !stepped && f.mayBeAny(), span == "" && stepped:
	case ranged:
		var err error
		if from, err = f.number(first); err != nil {
			return err
		}
		if to, err = f.number(last); err != nil {
			return err
		}
	default:
		var err error
		if from, err = f.number(span); err != nil {
			return err
		}
		if !stepped {
			to = from
		}
	}
	if to < from { // round the end: 22-2, FRI-MON
		to += f.max - f.min + 1
	}
	for v := from; v <= to; v += step {
		on[(v-f.min)%(f.max-f.min+1)+f.min] = true
	}
	return nil
}

func (f field) mayBeAny() bool { return f.name == days.name || f.name == weekdays.name }

func (f field) number(text string) (int, error) {
	if i := slices.Index(f.names, text); i >= 0 {
		return i + f.min, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.min || n > f.max || strings.ContainsAny(text, "+-") {
		return 0, fmt.Errorf("%q is not from %d to %d", text, f.min, f.max)
	}
	return n, nil
}

// write gives the shortest usual form of sorted numbers within min to max.
func write(values []int, low, high int) string {
	if len(values) == high-low+1 {
		return "*"
	}
	if step := evenStep(values, low, high); step > 1 {
		return "*/" + strconv.Itoa(step)
	}
	var out []string
	for i := 0; i < len(values); {
		end := i
		for end+1 < len(values) && values[end+1] == values[end]+1 {
			end++
		}
		switch {
		case end-i >= 2:
			out = append(out, fmt.Sprintf("%d-%d", values[i], values[end]))
		default:
			for _, v := range values[i : end+1] {
				out = append(out, strconv.Itoa(v))
			}
		}
		i = end + 1
	}
	return strings.Join(out, ",")
}

// evenStep is n when values are exactly those of */n, else 0.
func evenStep(values []int, low, high int) int {
	if len(values) < 3 || values[0] != low {
		return 0
	}
	step := values[1] - values[0]
	for i, v := range values {
		if v != low+i*step {
			return 0
		}
	}
	if values[len(values)-1]+step <= high {
		return 0
	}
	return step
}
