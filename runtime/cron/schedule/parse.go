package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/robfig/cron/v3"

	"github.com/hegner123/modulagen/internal/near"
)

// maxExpr is how many bytes an expression may have.
const maxExpr = 1000

// maxEvery is the longest interval of @every: ten years.
const maxEvery = 10 * 365 * 24 * time.Hour

// order is the order of the fields, for messages.
const order = "minute hour day-of-month month day-of-week"

// grammar is what the fields mean, once they are known to be right.
var grammar = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// starBit is what robfig/cron sets in the field of * and ?.
const starBit = 1 << 63

// descriptors are the words that stand for fields.
var descriptors = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// synonyms are descriptors that String writes as another.
var synonyms = map[string]string{"@annually": "@yearly", "@midnight": "@daily"}

var descriptorNames = []string{"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "@every", "@reboot"}

// word is a part between spaces, and where it begins.
type word struct {
	text string
	at   int
}

// spec is what an expression says, for Describe and Warnings.
type spec struct {
	descriptor string // as String writes it
	seconds    bool   // six fields
	fields     [6][]element
	at         [6]int // where the fields begin
	zone       string // of CRON_TZ=
}

// Parse reads an expression. Errors are *ParseErrors.
func Parse(expr string, o Options) (*Schedule, error) {
	s := &Schedule{loc: o.Location}
	if s.loc == nil {
		s.loc = time.UTC
	}
	if err := s.parse(expr); err != nil {
		err.Expr = expr
		return nil, err
	}
	return s, nil
}

func (s *Schedule) parse(expr string) *ParseError {
	if len(expr) > maxExpr {
		return problem(maxExpr, "", "the expression has %d bytes, and %d are permitted", len(expr), maxExpr)
	}
	words, err := split(expr)
	if err != nil {
		return err
	}
	if words, err = s.parseZone(words, len(expr)); err != nil {
		return err
	}
	prefix := ""
	if s.spec.zone != "" {
		prefix = "CRON_TZ=" + s.spec.zone + " "
	}
	if words[0].text[0] == '@' {
		err = s.parseDescriptor(words, len(expr))
	} else {
		err = s.parseFields(words, expr)
	}
	s.text = prefix + s.text
	return err
}

// split returns the words of an expression, of which there is at least one.
func split(expr string) ([]word, *ParseError) {
	trimmed := strings.TrimRight(expr, " \t\r\n")
	start := len(trimmed) - len(strings.TrimLeft(trimmed, " \t\r\n"))
	if start == len(trimmed) {
		return nil, problem(0, "write five fields, "+order+", or a word such as @daily", "the expression is empty")
	}
	var words []word
	begin := -1
	for i, r := range trimmed {
		switch {
		case i < start:
		case r == ' ' || r == '\t':
			if begin >= 0 {
				words, begin = append(words, word{trimmed[begin:i], begin}), -1
			}
		case r == '\n' || r == '\r':
			return nil, problem(i, "write one expression on one line", "the expression has a second line")
		case unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return nil, problem(i, "fields are separated by spaces or tabs", "the character %U is not permitted", r)
		case begin < 0:
			begin = i
		}
	}
	words = append(words, word{trimmed[begin:], begin})
	if p, hint := wholly(trimmed[start:]); p != "" {
		return nil, problem(start, hint, "%s", p)
	}
	return words, nil
}

// parseZone takes a time zone from the front.
func (s *Schedule) parseZone(words []word, end int) ([]word, *ParseError) {
	key, name, found := strings.Cut(words[0].text, "=")
	if !found {
		return words, nil
	}
	at := words[0].at
	if key != "TZ" && key != "CRON_TZ" {
		return nil, problem(at, "a time zone is written as CRON_TZ=Europe/Paris before the fields", "%s is not known", quoted(key+"="))
	}
	at += len(key) + 1
	loc, p, hint := location(name)
	if p != "" {
		return nil, problem(at, hint, "%s", p)
	}
	if len(words) == 1 {
		return nil, problem(end, "write the fields after it, "+order, "nothing follows the time zone")
	}
	if strings.HasPrefix(words[1].text, "TZ=") || strings.HasPrefix(words[1].text, "CRON_TZ=") {
		return nil, problem(words[1].at, "", "the time zone is given twice")
	}
	s.loc, s.spec.zone = loc, name
	return words[1:], nil
}

func (s *Schedule) parseDescriptor(words []word, end int) *ParseError {
	name, at := strings.ToLower(words[0].text), words[0].at
	if name == "@every" {
		return s.parseEvery(words, end)
	}
	expr, found := descriptors[name]
	switch {
	case found && len(words) > 1:
		return problem(words[1].at, "", "nothing may follow %s", name)
	case found:
	case name == "@reboot":
		return problem(at, "a schedule names times; call the function where the program starts", "@reboot is not supported")
	default:
		return problem(at, descriptorHint(name), "%s is not known", quoted(words[0].text))
	}
	if synonym := synonyms[name]; synonym != "" {
		name = synonym
	}
	if err := s.parseFields(mustSplit(expr), expr); err != nil {
		return err
	}
	s.spec.descriptor, s.text = name, name
	return nil
}

func mustSplit(expr string) []word {
	words, err := split(expr)
	if err != nil {
		panic(fmt.Sprintf("schedule: %q: %s", expr, err.Problem)) // a descriptor of this package
	}
	return words
}

// elsewhere are descriptors of other schedulers.
var elsewhere = map[string]string{
	"secondly": "* * * * * *", "minutely": "* * * * *", "every_second": "* * * * * *", "every_minute": "* * * * *",
	"5minutes": "*/5 * * * *", "10minutes": "*/10 * * * *", "15minutes": "*/15 * * * *", "30minutes": "*/30 * * * *", "always": "* * * * *",
	"noon": "0 12 * * *", "weekdays": "0 0 * * mon-fri", "weekends": "0 0 * * sat,sun", "business_days": "0 0 * * mon-fri",
	"quarterly": "0 0 1 */3 *", "semiannually": "0 0 1 */6 *",
}

// descriptorHint is what a word that is no descriptor was probably to be.
func descriptorHint(name string) string {
	name = strings.ToLower(strings.TrimPrefix(name, "@"))
	if expr, found := elsewhere[name]; found {
		return "write " + expr
	}
	var known []string
	for _, d := range descriptorNames {
		known = append(known, d[1:])
	}
	if best := near.Name(name, known); best != "" {
		return "is @" + best + " meant?"
	}
	if strings.HasPrefix(name, "every") {
		return "write @every and a duration, such as @every 5m"
	}
	return "the words are @hourly, @daily, @weekly, @monthly, @yearly and @every 90m"
}

// parseEvery reads @every and its duration.
func (s *Schedule) parseEvery(words []word, end int) *ParseError {
	const example = "write it as @every 90s, @every 15m or @every 1h30m"
	if len(words) == 1 {
		return problem(end, example, "@every has no duration")
	}
	text, at := words[1].text, words[1].at
	d, err := time.ParseDuration(text)
	switch {
	case len(words) > 2:
		return problem(words[2].at, example, "the duration of @every is one word")
	case err != nil && strings.IndexFunc(text, notDigit) < 0:
		return problem(at+len(text), "write "+clipped(text)+"s for seconds, "+clipped(text)+"m for minutes", "the duration %s of @every has no unit", quoted(text))
	case err != nil && strings.ContainsAny(text, "dDwW"):
		return problem(at, "the units are h, m and s; a day is 24h, and daily at a time is 0 2 * * *", "the duration %s of @every cannot be read", quoted(text))
	case err != nil:
		return problem(at, "the units are h, m and s; "+example, "the duration %s of @every cannot be read", quoted(text))
	case d < time.Second:
		return problem(at, "one second is the least", "the duration %s of @every is too short", quoted(text))
	case d > maxEvery:
		return problem(at, "87600h is the most", "the duration %s of @every is too long", quoted(text))
	case d%time.Second != 0:
		return problem(at, "write whole seconds", "the duration %s of @every has a fraction of a second", quoted(text))
	}
	s.every, s.text = d, "@every "+brief(d)
	s.spec.descriptor = s.text
	return nil
}

// brief is a duration without the zero parts of Duration.String.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (s *Schedule) parseFields(words []word, expr string) *ParseError {
	if err := countFields(words, len(strings.TrimRight(expr, " \t\r\n"))); err != nil {
		return err
	}
	s.spec.seconds = len(words) == 6
	s.spec.fields[fieldSecond] = []element{{step: 1}}
	texts := make([]string, len(words))
	for i, w := range words {
		at := i + 6 - len(words)
		elements, err := parseField(&fields[at], w.text, w.at)
		if err != nil {
			return yearIn(words, i, err)
		}
		s.spec.fields[at], s.spec.at[at] = elements, w.at
		texts[i] = normal(&fields[at], elements)
	}
	s.text = strings.Join(texts, " ")
	six := s.text
	if !s.spec.seconds {
		six = "0 " + six
	}
	parsed, err := grammar.Parse(six)
	c, ok := parsed.(*cron.SpecSchedule)
	if err != nil || !ok { // what was checked is refused all the same: better an error than another meaning
		return problem(words[0].at, "", "the expression cannot be used: %v", err)
	}
	either := c.Dom&starBit == 0 && c.Dow&starBit == 0
	s.calendar = newCalendar(c.Second&^starBit, c.Minute&^starBit, c.Hour&^starBit, c.Dom&^starBit, c.Month&^starBit, c.Dow&^starBit, either)
	if err := s.possible(); err != nil {
		return err
	}
	s.warnings = s.warn()
	return nil
}

// countFields refuses expressions that have not five or six fields.
func countFields(words []word, end int) *ParseError {
	for i, w := range words {
		if w.text[0] == '#' && i >= 5 {
			return problem(w.at, "write the fields alone", "a comment is not part of an expression")
		}
		if last := len(w.text) - 1; w.text[last] == ',' && i < len(words)-1 {
			return problem(w.at+last, "lists have no spaces, as in mon,fri", "the list ends with a comma")
		}
	}
	switch n := len(words); {
	case n == 5 || n == 6:
		return nil
	case n == 1 && strings.IndexFunc(words[0].text, notLetter) < 0:
		return problem(words[0].at, descriptorHint(words[0].text), "%s is not a schedule", quoted(words[0].text))
	case systemd(words):
		return problem(words[0].at, hintSystemd, "%s is not a field", quoted(words[0].text))
	case n < 5:
		fieldsOf := "fields"
		if n == 1 {
			fieldsOf = "field"
		}
		return problem(end, "five are needed: "+order, "the expression has %d %s", n, fieldsOf)
	case n == 7:
		return problem(words[6].at, hintYear, "the expression has a seventh field")
	}
	return problem(words[6].at, "five are needed, "+order+", or six with the second first; the command of a crontab is not part of it", "the expression has %d fields", len(words))
}

// systemd reports whether words look like an expression of systemd.timer.
func systemd(words []word) bool {
	for _, w := range words {
		if strings.ContainsAny(w.text, "{}\"'=") {
			return false
		}
	}
	return slices.ContainsFunc(words, func(w word) bool { return strings.Contains(w.text, ":") || strings.Contains(w.text, "*-*") })
}

// yearIn explains six fields of which the last is meant to be a year.
func yearIn(words []word, i int, err *ParseError) *ParseError {
	if len(words) == 6 && words[i].text == "?" {
		err.Hint += "; six fields begin with the second, and have no year"
	}
	if i == 5 && len(words[5].text) >= 4 && strings.IndexFunc(words[5].text[:4], notDigit) < 0 {
		err.Hint = "six fields begin with the second; " + hintYear
	}
	return err
}

// normal is a field in its one form.
func normal(f *field, elements []element) string {
	var parts []string
	for _, e := range elements {
		switch {
		case f.max == 7 && e.high == 7: // robfig/cron numbers Sunday 0
			for v := e.low; v <= 7; v += e.step {
				parts = append(parts, fmt.Sprint(v%7))
			}
		case e.everything():
			parts = append(parts, "*")
		case e.star:
			parts = append(parts, fmt.Sprintf("*/%d", e.step))
		case e.step > 1:
			parts = append(parts, fmt.Sprintf("%d-%d/%d", e.low, e.high, e.step))
		case e.low == e.high:
			parts = append(parts, fmt.Sprint(e.low))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", e.low, e.high))
		}
	}
	return strings.Join(parts, ",")
}

// possible refuses days that no permitted month has.
func (s *Schedule) possible() *ParseError {
	if s.someDay() || s.either {
		return nil
	}
	return problem(s.spec.at[fieldDay], "write a day that the months have, or other months",
		"the day never comes: no month of the schedule has a day %s", list(dayNumbers(s.day), "or"))
}

// someDay reports whether a month of the schedule has a day of the month of it, in some year.
func (s *Schedule) someDay() bool {
	for m := 1; m <= 12; m++ {
		if s.month>>m&1 != 0 && s.day&(1<<(daysOf(2000, m)+1)-1) != 0 {
			return true
		}
	}
	return false
}

func dayNumbers(days uint32) []string {
	var out []string
	for d := 1; d <= 31; d++ {
		if days>>d&1 != 0 {
			out = append(out, fmt.Sprint(d))
		}
	}
	return out
}

// problems returns the ParseErrors of several texts as one error.
func problems(errs []*ParseError) error {
	var out []error
	for _, err := range errs {
		out = append(out, err)
	}
	return errors.Join(out...)
}
