package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hegner123/modulagen/internal/near"
)

// field is one of the six: its name, its range, the names of its values.
type field struct {
	name     string
	min, max int
	names    []string // of min and what follows it
	words    []string // what people write for names
	kind     string   // what a value is
	example  string
}

const (
	fieldSecond = iota
	fieldMinute
	fieldHour
	fieldDay
	fieldMonth
	fieldWeekday
)

var fields = [6]field{
	{name: "second", max: 59, kind: "a second", example: "0, */10 or 0,30"},
	{name: "minute", max: 59, kind: "a minute", example: "0, */5 or 0,30"},
	{name: "hour", max: 23, kind: "an hour", example: "2, 9-17 or */6"},
	{name: "day of the month", min: 1, max: 31, kind: "a day of the month", example: "1, 1,15 or 1-7"},
	{name: "month", min: 1, max: 12, kind: "a month", example: "1, jan or 3-5", names: []string{
		"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
	}, words: []string{
		"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
	}},
	{name: "day of the week", max: 7, kind: "a day of the week", example: "1, mon or mon-fri", names: []string{
		"sun", "mon", "tue", "wed", "thu", "fri", "sat",
	}, words: []string{
		"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
	}},
}

// last is the largest value that a * has: 7 is only another number of Sunday.
func (f *field) last() int {
	if f.max == 7 {
		return 6
	}
	return f.max
}

// permitted is the range of a field, for messages.
func (f *field) permitted() string {
	text := fmt.Sprintf("%d-%d", f.min, f.max)
	if f.names != nil {
		text += fmt.Sprintf(" or %s-%s", f.names[0], f.names[len(f.names)-1])
	}
	return text
}

// element is one part of a field's list.
type element struct {
	low, high, step int
	star            bool // * or ?, with a step or without
	open            bool // N/step
}

// everything reports whether an element restricts nothing.
func (e element) everything() bool { return e.star && e.step == 1 }

// parseField reads the list of a field that begins at a place of the expression.
func parseField(f *field, text string, at int) ([]element, *ParseError) {
	if err := foreign(f, text, at); err != nil {
		return nil, err
	}
	var out []element
	for start := 0; ; {
		end := len(text)
		if i := strings.IndexByte(text[start:], ','); i >= 0 {
			end = start + i
		}
		e, err := parseElement(f, text[start:end], at+start)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if end == len(text) {
			return out, nil
		}
		start = end + 1
	}
}

func problem(at int, hint, format string, args ...any) *ParseError {
	return &ParseError{Offset: at, Problem: fmt.Sprintf(format, args...), Hint: hint}
}

func parseElement(f *field, text string, at int) (element, *ParseError) {
	if text == "" {
		return element{}, problem(at, "write a value between commas, such as "+f.example, "the list of the %s has an empty element", f.name)
	}
	base, step, stepped := strings.Cut(text, "/")
	e, err := parseRange(f, base, at)
	if err != nil {
		return e, err
	}
	e.step = 1
	if !stepped {
		return e, nil
	}
	if !e.star && !strings.Contains(base, "-") {
		e.open, e.high = true, f.last()
		if e.low > e.high { // 7/2
			e.low = 0
		}
	}
	e.step, err = parseStep(f, e, step, at+len(base)+1)
	if e.step == 1 && e.open && e.low == e.high {
		e.open = false
	}
	return e, err
}

// parseRange reads *, ?, a value, or two with a hyphen.
func parseRange(f *field, text string, at int) (element, *ParseError) {
	if text == "*" || text == "?" {
		return element{low: f.min, high: f.last(), star: true}, nil
	}
	if text == "" {
		return element{}, problem(at, "write */5 for each fifth", "nothing is before the step of the %s", f.name)
	}
	low, high, isRange := strings.Cut(text, "-")
	if low == "" {
		wrong := "has no beginning"
		if high != "" && strings.IndexFunc(high, notDigit) < 0 {
			wrong = "is negative"
		}
		return element{}, problem(at, f.permitted()+" are permitted", "the %s %s %s", f.name, quoted(text), wrong)
	}
	from, err := parseValue(f, low, at)
	if err != nil {
		return element{}, err
	}
	if !isRange {
		return element{low: from, high: from}, nil
	}
	place := at + len(low) + 1
	if high == "" {
		return element{}, problem(place, "write both ends, such as "+low+"-"+strconv.Itoa(f.max), "the range of the %s has no end", f.name)
	}
	if i := strings.IndexByte(high, '-'); i >= 0 {
		return element{}, problem(place+i, "a range has two ends; write several with commas", "the range of the %s has a second hyphen", f.name)
	}
	to, err := parseValue(f, high, place)
	if err != nil {
		return element{}, err
	}
	if f.max == 7 && to == 0 && from > 0 { // fri-sun
		to = 7
	}
	if from > to {
		return element{}, problem(at, "write "+wrapped(f, from, to), "the range %s of the %s ends before it begins", text, f.name)
	}
	return element{low: from, high: to}, nil
}

// wrapped is a range across the end of a field as two.
func wrapped(f *field, from, to int) string {
	return f.span(from, f.last()) + "," + f.span(f.min, to)
}

func (f *field) span(from, to int) string {
	if from == to {
		return f.value(from)
	}
	return f.value(from) + "-" + f.value(to)
}

// value is a value as a person writes it.
func (f *field) value(n int) string {
	if f.names != nil {
		return f.names[(n-f.min)%len(f.names)]
	}
	return strconv.Itoa(n)
}

// parseValue reads a number or a name.
func parseValue(f *field, text string, at int) (int, *ParseError) {
	if i := strings.IndexFunc(text, notDigit); i >= 0 {
		return parseName(f, text, at)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.min || n > f.max {
		return 0, problem(at, f.outside(n), "%s is not %s", clipped(text), f.kind)
	}
	return n, nil
}

// outside is what to write for a number beyond the range.
func (f *field) outside(n int) string {
	hint := f.permitted() + " are permitted"
	switch {
	case f.name == "hour" && n == 24:
		hint += "; midnight is 0"
	case n == 60 && f.max == 59:
		hint += "; the full " + map[string]string{"minute": "hour", "second": "minute"}[f.name] + " is 0"
	case n >= 1900 && n < 3000:
		hint += "; a field of years is not supported"
	}
	return hint
}

func parseName(f *field, text string, at int) (int, *ParseError) {
	for i, name := range f.names {
		if strings.EqualFold(name, text) {
			return f.min + i, nil
		}
	}
	if strings.IndexFunc(text, notLetter) >= 0 {
		return 0, character(f, text, at)
	}
	for i, word := range f.words {
		if strings.EqualFold(word, text) {
			return 0, problem(at, "write "+f.names[i], "%s is not %s", quoted(text), f.kind)
		}
	}
	for i := range fields {
		for _, name := range append(fields[i].names[:len(fields[i].names):len(fields[i].names)], fields[i].words...) {
			if strings.EqualFold(name, text) && i != f.index() {
				return 0, problem(at, "it is "+fields[i].kind+"; the fields are "+order, "%s is not %s", quoted(text), f.kind)
			}
		}
	}
	return 0, problem(at, f.nearest(text), "%s is not %s", quoted(text), f.kind)
}

func (f *field) index() int {
	for i := range fields {
		if f == &fields[i] {
			return i
		}
	}
	return -1
}

// nearest is the name that a word resembles, or what is permitted.
func (f *field) nearest(text string) string {
	if f.max == 7 && strings.HasPrefix(strings.ToLower(text), "weekday") {
		return "write mon-fri"
	}
	if f.max == 7 && strings.HasPrefix(strings.ToLower(text), "weekend") {
		return "write sat,sun"
	}
	if f.names != nil {
		for i, w := range f.words {
			if len(text) >= 2 && strings.HasPrefix(w, strings.ToLower(text)) {
				return "is " + f.names[i] + " meant?"
			}
		}
		if name := near.Name(text, f.words); name != "" {
			for i, w := range f.words {
				if w == name {
					return "is " + f.names[i] + " meant?"
				}
			}
		}
		if name := near.Name(text, f.names); name != "" {
			return "is " + name + " meant?"
		}
	}
	return f.permitted() + " are permitted"
}

// character is the refusal of the first character that cannot stand in a value.
func character(f *field, text string, at int) *ParseError {
	i := 0
	switch first := rune(text[0]); {
	case !notDigit(first):
		i = strings.IndexFunc(text, notDigit)
	case !notLetter(first):
		i = strings.IndexFunc(text, notLetter)
	case first == '*' && len(text) > 1:
		i = 1
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	hint := f.permitted() + " are permitted, with , - / and *"
	switch {
	case r == '*' || text[0] == '*':
		hint = "* stands alone, or before a step, as in */5"
	case r == '.' || r == ':':
		hint = "only whole numbers are permitted, such as " + f.example
	case r == '!' || r == '^':
		hint = "exclusions are not part of an expression; " + hint
	}
	return problem(at+i, hint, "%s is not permitted in the %s", quoted(string(r)), f.name)
}

// parseStep reads what follows a slash.
func parseStep(f *field, e element, text string, at int) (int, *ParseError) {
	if text == "" {
		return 0, problem(at, "write a number after the slash, such as */5", "the step of the %s is missing", f.name)
	}
	if text[0] == '-' {
		return 0, problem(at, "a step counts forward, from 1", "the step %s of the %s is negative", quoted(text), f.name)
	}
	if i := strings.IndexByte(text, '/'); i >= 0 {
		return 0, problem(at+i, "an element has one step", "the %s has a second slash", f.name)
	}
	if i := strings.IndexFunc(text, notDigit); i >= 0 {
		return 0, problem(at, "write a number, such as */5", "the step %s of the %s is not a number", quoted(text), f.name)
	}
	n, err := strconv.Atoi(text)
	if err == nil && n == 0 {
		return 0, problem(at, "write 1 or more", "the step 0 of the %s never moves on", f.name)
	}
	span := e.high - e.low
	if e.open {
		span = f.last() - f.min
	}
	if err != nil || n > span && n > 1 {
		return 0, problem(at, f.tooLong(e, n), "the step %s is longer than the range %d-%d of the %s", clipped(text), e.high-span, e.high, f.name)
	}
	return n, nil
}

// tooLong is what to write for a step beyond the range.
func (f *field) tooLong(e element, n int) string {
	hint := "write " + f.value(e.low) + " for that value alone"
	switch {
	case f.name == "hour" && n > 0 && n < 10000:
		hint += fmt.Sprintf(", or @every %dh for an interval", n)
	case f.max == 59 && n > 0 && n < 10000:
		hint += fmt.Sprintf(", or @every %d%c for an interval", n, f.name[0])
	}
	return hint
}

func notDigit(r rune) bool  { return r < '0' || r > '9' }
func notLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }

// quoted is a part of an expression in a message.
func quoted(text string) string { return strconv.Quote(clipped(text)) }

// clipped is a part of an expression, not longer than a message needs.
func clipped(text string) string {
	if r := []rune(text); len(r) > 20 {
		return string(r[:20]) + "..."
	}
	return text
}
