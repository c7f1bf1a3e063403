package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Parse reads a file; its name stands in errors, before the line: "0002_headline/sqlite.sql:7: ...".
// All mistakes of the file are reported, joined; each is a *Mistake.
func Parse(name, text string) (*Script, error) {
	p := &parser{file: name, out: &Script{}}
	lines := strings.Split(unmarked(text), "\n")
	for p.next < len(lines) {
		p.line(lines)
	}
	p.finish()
	if len(p.mistakes) > 0 {
		return nil, errors.Join(p.mistakes...)
	}
	return p.out, nil
}

// parser reads the lines of a file, from next on.
type parser struct {
	file     string
	next     int // index of the line to be read
	out      *Script
	header   bool // the line that names the migration has been read
	programs bool // that about programs, too

	pending  Statement // what comments say of the statement that follows
	pendings int       // the line of the first such comment; 0: none
	returns  string    // what stands for a carriage return; empty: none does
	last     string    // the line that ends the statement that follows, which has semicolons in it; empty: the first does
	reason   int       // the line of a refusal that still lacks its reason; 0: none
	mistakes []error
}

func (p *parser) fail(line int, format string, args ...any) {
	p.mistakes = append(p.mistakes, &Mistake{p.file, line, fmt.Sprintf(format, args...)})
}

// Mistake is a line that cannot be read.
type Mistake struct {
	File    string
	Line    int
	Message string
}

// Error returns "0002_headline/sqlite.sql:7: ...".
func (m *Mistake) Error() string { return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Message) }

// line reads one line, or what begins with it: a comment with its continuation, a statement.
func (p *parser) line(lines []string) {
	at, text := p.next+1, lines[p.next]
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "":
		p.next++
	case strings.HasPrefix(trimmed, "--"):
		p.next++
		p.comment(at, strings.TrimSpace(trimmed[2:]), lines)
	default:
		p.statement(at, lines)
	}
}

// comment reads a comment that the runtime knows, and passes over others.
func (p *parser) comment(at int, text string, lines []string) {
	for _, k := range keywords {
		rest, ok := strings.CutPrefix(text, k.word)
		if !ok {
			continue
		}
		value := p.continued(strings.TrimSpace(rest), lines)
		if !p.placed(at, k) {
			return
		}
		k.read(p, at, value)
		return
	}
}

// keyword is a comment that the runtime knows by how it begins.
type keyword struct {
	word  string
	scope scope
	read  func(p *parser, at int, value string)
}

type scope int

const (
	ofFile scope = iota
	ofStep
	ofStatement
)

var keywords []keyword

func init() { // the functions lead back to the list
	keywords = []keyword{
		{"migration ", ofFile, (*parser).readHeader},
		{programsWord + ":", ofFile, (*parser).readPrograms},
		{waitsWord, ofFile, (*parser).readWaits},
		{returnsWord, ofFile, (*parser).readReturns},
		{"step ", ofFile, (*parser).readStep},
		{"note:", ofStep, func(p *parser, _ int, v string) { p.step().Note = v }},
		{"alone:", ofStep, func(p *parser, _ int, _ string) { p.step().Alone = true }},
		{"locks:", ofStep, (*parser).readLocked},
		{"rebuilds:", ofStep, (*parser).readRebuilt},
		{"leaves out:", ofStep, (*parser).readLeavesOut},
		{"batches:", ofStep, (*parser).readBatches},
		{"refuse:", ofStep, (*parser).readRefusal},
		{"because:", ofStep, (*parser).readBecause},
		{"run:", ofStep, (*parser).readRun},
		{"done when:", ofStatement, (*parser).readProbe},
		{"repeatable:", ofStatement, func(p *parser, _ int, _ string) { p.pending.Repeatable = true }},
		{"or:", ofStatement, (*parser).readOr},
		{"ends with:", ofStatement, func(p *parser, _ int, v string) { p.last = v }},
	}
}

const waitsWord = "waits until no program runs from before "

const programsWord = "programs of the version before"

// placed reports whether the comment may stand where it does.
func (p *parser) placed(at int, k keyword) bool {
	if k.scope == ofFile {
		p.unfinished()
		return true
	}
	if len(p.out.Steps) == 0 {
		p.fail(at, "%q belongs to a step, and none has begun: write \"-- step 1, CLASS: WHAT\" before it", "-- "+k.word)
		return false
	}
	if k.scope == ofStatement && p.pendings == 0 {
		p.pendings = at
	}
	if p.reason > 0 && k.word != "because:" {
		p.fail(p.reason, "\"-- refuse:\" lacks the line \"-- because: REASON\" after it")
		p.reason = 0
	}
	return true
}

// continued appends the lines that continue a comment: "--   text".
func (p *parser) continued(value string, lines []string) string {
	for p.next < len(lines) {
		line := lines[p.next]
		more, ok := strings.CutPrefix(line, continuation)
		if !ok && strings.TrimSpace(line) != "--" {
			break
		}
		if !ok {
			more = "" // an editor has removed the spaces behind the sign
		}
		value += "\n" + more
		p.next++
	}
	return value
}

const continuation = "--   "

func (p *parser) step() *Step { return &p.out.Steps[len(p.out.Steps)-1] }

func (p *parser) readHeader(at int, value string) {
	if p.header {
		p.fail(at, "a file holds one migration, and this is its second header")
		return
	}
	p.header = true
	name, parent, found := strings.Cut(value, ", after ")
	if !found {
		name = strings.TrimSuffix(value, firstWord)
		found = name != value
	}
	if !found || !isName(name) || parent != "" && !isName(parent) {
		p.fail(at, "write \"-- migration NAME, after PARENT\", or \"-- migration NAME%s\"", firstWord)
	}
	p.out.Name, p.out.Parent = name, parent
}

const (
	firstWord   = ", the first"
	allowedWord = "allowed"
	refusedWord = "refused: "
)

func isName(s string) bool {
	words := strings.Fields(s)
	return len(words) == 1 && words[0] == s && !strings.Contains(s, ",")
}

func (p *parser) readPrograms(at int, value string) {
	why, refused := strings.CutPrefix(value, refusedWord)
	switch {
	case p.programs:
		p.fail(at, "%q stands twice", "-- "+programsWord)
	case refused:
		p.out.Refused = why
	case value != allowedWord:
		p.fail(at, "write \"-- %s: %s\" or \"-- %s: %sREASON\"", programsWord, allowedWord, programsWord, refusedWord)
	}
	p.programs = true
}

func (p *parser) readStep(at int, value string) {
	number, rest, _ := strings.Cut(value, ", ")
	class, what, found := strings.Cut(rest, ": ")
	s := Step{Class: Class(class), What: what, Line: at}
	switch want := fmt.Sprint(len(p.out.Steps) + 1); {
	case !found || what == "":
		p.fail(at, "write \"-- step %s, CLASS: WHAT\"", want)
	case number != want:
		p.fail(at, "the step has the number %s, and is number %s of the file", number, want)
	case !slices.Contains(Classes, s.Class):
		p.fail(at, "%q is no class; there are %s", class, classList())
	}
	p.out.Steps = append(p.out.Steps, s)
}

func classList() string {
	names := make([]string, len(Classes))
	for i, c := range Classes {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

func (p *parser) readLocked(at int, value string) {
	if !isName(value) {
		p.fail(at, "write \"-- locks: TABLE\"")
	}
	p.step().Locked = value
}

func (p *parser) readRebuilt(at int, value string) {
	if !isName(value) {
		p.fail(at, "write \"-- rebuilds: TABLE\"")
	}
	p.step().Rebuilt = value
}

func (p *parser) readLeavesOut(at int, value string) {
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if !isName(name) {
			p.fail(at, "write \"-- leaves out: COLUMN, COLUMN\"")
		}
		p.step().LeavesOut = append(p.step().LeavesOut, name)
	}
}

func (p *parser) readRefusal(at int, value string) {
	if strings.TrimSpace(value) == "" {
		p.fail(at, "\"-- refuse:\" lacks the query that selects the ids of the rows")
	}
	p.reason = at
	p.step().Refuse = append(p.step().Refuse, Refusal{Query: value})
}

func (p *parser) readBecause(at int, value string) {
	if p.reason == 0 {
		p.fail(at, "\"-- because:\" stands after \"-- refuse: QUERY\"")
		return
	}
	if strings.TrimSpace(value) == "" {
		p.fail(at, "\"-- because:\" lacks the reason, which stands in the error when rows are found")
	}
	p.reason = 0
	refuse := p.step().Refuse
	refuse[len(refuse)-1].Because = value
}

func (p *parser) readRun(at int, value string) {
	if !isName(value) || p.step().Run != "" {
		p.fail(at, "a step runs one data step after its statements: \"-- run: NAME\"")
	}
	p.step().Run = value
}

func (p *parser) readBatches(at int, value string) {
	if !isName(value) {
		p.fail(at, "write \"-- batches: TABLE\"")
	}
	p.step().Batches = value
}

func (p *parser) readWaits(at int, value string) {
	if !isName(value) || p.out.After != "" {
		p.fail(at, "write \"-- %sMIGRATION\" once", waitsWord)
	}
	p.out.After = value
}

func (p *parser) readReturns(at int, value string) {
	if !isName(value) || p.returns != "" {
		p.fail(at, "write \"-- %sTEXT\" once", returnsWord)
	}
	p.returns = value
}

// returned puts carriage returns where a text stands for them.
func (p *parser) returned() {
	if p.returns == "" {
		return
	}
	r := strings.NewReplacer(p.returns, "\r")
	p.out.Refused = r.Replace(p.out.Refused)
	for i := range p.out.Steps {
		s := &p.out.Steps[i]
		s.What, s.Note = r.Replace(s.What), r.Replace(s.Note)
		for j, refusal := range s.Refuse {
			s.Refuse[j] = Refusal{r.Replace(refusal.Query), r.Replace(refusal.Because)}
		}
		for j := range s.Statements {
			s.Statements[j].SQL = r.Replace(s.Statements[j].SQL)
		}
	}
}

func (p *parser) readOr(at int, value string) {
	if strings.TrimSpace(value) == "" {
		p.fail(at, "\"-- or:\" lacks the clause to try in place of the statement's last one")
	}
	p.pending.Or = append(p.pending.Or, value)
}

func (p *parser) readProbe(at int, value string) {
	words := strings.Fields(value)
	var probe Probe
	if len(words) > 0 && words[0] == "no" {
		probe.Missing, words = true, words[1:]
	}
	switch {
	case len(words) == 2 && words[0] == "table":
		probe.Kind, probe.Table = words[0], words[1]
	case len(words) == 3 && slices.Contains(probeKinds, words[0]):
		probe.Kind, probe.Table, probe.Name = words[0], words[1], words[2]
	default:
		p.fail(at, "write \"-- done when: [no] table TABLE\" or \"-- done when: [no] %s TABLE NAME\"", strings.Join(probeKinds, "|"))
	}
	p.pending.Done = append(p.pending.Done, probe)
}

var probeKinds = []string{"column", "index", "constraint", "trigger"}

// unfinished reports comments that lack what they are about, where a step or the file ends.
func (p *parser) unfinished() {
	if p.pendings > 0 {
		p.fail(p.pendings, "the comment is about the statement after it, and none follows in this step")
	}
	if p.reason > 0 {
		p.fail(p.reason, "\"-- refuse:\" lacks the line \"-- because: REASON\" after it")
	}
	p.pending, p.pendings, p.reason, p.last = Statement{}, 0, 0, ""
}

func (p *parser) finish() {
	p.unfinished()
	p.returned()
	if !p.header {
		p.fail(1, "the file lacks \"-- migration NAME, after PARENT\"")
	}
	if !p.programs {
		p.fail(1, "the file lacks \"-- %s: %s\" or \"-- %[1]s: %[3]sREASON\"", programsWord, allowedWord, refusedWord)
	}
}

// statement reads from the line at to the one that ends the statement.
func (p *parser) statement(at int, lines []string) {
	if p.last != "" {
		p.block(at, lines)
		return
	}
	var text strings.Builder
	var q quoting
	for p.next < len(lines) {
		line := lines[p.next]
		end, more := q.line(line)
		if end < 0 {
			text.WriteString(line + "\n")
			p.next++
			continue
		}
		p.next++
		if more {
			p.fail(p.next, "another statement begins on the line where one ends: write it on lines of its own")
		}
		text.WriteString(line[:end])
		p.add(at, text.String())
		return
	}
	if q.open != "" {
		p.fail(at, "the statement does not end: %s is not closed", q.open)
		return
	}
	p.fail(at, "the statement does not end: its last line ends in \";\"")
}

// block reads a statement that has others in it, such as a trigger, to its last line.
func (p *parser) block(at int, lines []string) {
	last := p.last
	var q quoting
	for n, line := range lines[p.next:] {
		inside := q.open != ""
		q.over(line)
		if !inside && strings.TrimSpace(line) == last {
			text := strings.Join(lines[p.next:p.next+n+1], "\n")
			p.next += n + 1
			p.add(at, strings.TrimSuffix(strings.TrimSpace(text), ";"))
			return
		}
	}
	p.next = len(lines)
	p.fail(at, "the statement does not end: no line of it is %q", last)
}

func (p *parser) add(at int, sql string) {
	s := p.pending
	s.SQL, s.Line = strings.TrimSpace(sql), at
	p.pending, p.pendings, p.last = Statement{}, 0, ""
	if p.reason > 0 {
		p.fail(p.reason, "\"-- refuse:\" lacks the line \"-- because: REASON\" after it")
		p.reason = 0
	}
	switch {
	case len(p.out.Steps) == 0:
		p.fail(at, "the statement belongs to no step: write \"-- step 1, CLASS: WHAT\" before it")
	case s.SQL == "":
		p.fail(at, "the statement is empty")
	default:
		p.step().Statements = append(p.step().Statements, s)
	}
}
