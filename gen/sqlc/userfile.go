package sqlc

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// written is a query as its author wrote it, in one file.
type written struct {
	file    *source
	at      int // offset of the line that names it
	name    string
	command string
	doc     []string
	body    []token // without the semicolon
	columns []declared
	params  []declared
	row     struct {
		at   int
		name string // of the row's type; "": after the query
	}

	unhad bool // it has what a database does not

	top   *query // as it was read, see parse
	typer *typer
}

// declared is a comment such as
//
//	-- column: last_at datetime null
//
// by which an author says a type that no database tells.
type declared struct {
	at    int
	name  string
	typ   string
	scale int
	null  bool
}

// source is a file of queries and the mistakes found in it.
type source struct {
	*model.UserFile
	mistakes *mistake.List
}

// mistake notes something that is wrong at an offset of the file.
func (s *source) mistake(at int, hint, format string, args ...any) {
	at = min(at, len(s.Text))
	start := strings.LastIndexByte(s.Text[:at], '\n') + 1
	line, _, _ := strings.Cut(s.Text[start:], "\n")
	*s.mistakes = append(*s.mistakes, mistake.Mistake{
		File:    s.Path,
		Line:    1 + strings.Count(s.Text[:at], "\n"),
		Column:  1 + utf8.RuneCountInString(s.Text[start:at]),
		Source:  strings.TrimRight(line, "\r"),
		Message: fmt.Sprintf(format, args...),
		Hint:    hint,
	})
}

func (s *source) pos(at int) model.Pos {
	start := strings.LastIndexByte(s.Text[:at], '\n') + 1
	return model.Pos{File: s.Path, Line: 1 + strings.Count(s.Text[:at], "\n"), Column: 1 + utf8.RuneCountInString(s.Text[start:at])}
}

const (
	nameHint    = "write -- name: TopAuthors :many, on a line of its own above the query"
	commandHint = "write :one, :many, :exec or :execrows"
)

var commands = map[string]bool{":one": true, ":many": true, ":exec": true, ":execrows": true}

var (
	nameLine = regexp.MustCompile(`^--\s*name:\s*(\S+)\s+(\S+)\s*$`)
	nameTry  = regexp.MustCompile(`(?i)^--\s*name\s*[: ]\s*\S+.*\s:\w+\s*$|^--\s*name:`)
	goMethod = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	declLine = regexp.MustCompile(`^--\s*(column|param):\s*(.*?)\s*$`)
	rowLine  = regexp.MustCompile(`^--\s*row:\s*(.*?)\s*$`)
	declBody = regexp.MustCompile(`^(\w+)\s+(\w+)(?:\((\d{1,2})\))?(\s+null)?$`)
)

// split cuts a file into its queries.
func split(s *source) []*written {
	tokens, bad := newLexer(s.Text, s.Databases).tokens()
	if bad != nil {
		s.mistake(bad.at, "", "%s is never closed", bad.what)
		return nil
	}
	sp := splitter{source: s}
	for _, t := range tokens {
		sp.token(t)
	}
	if sp.current != nil {
		sp.unfinished()
	}
	return sp.out
}

// splitter is the state between two tokens of a file.
type splitter struct {
	source   *source
	out      []*written
	current  *written
	above    []string // comment lines just above, the doc of a name that follows
	nameless bool     // inside a statement without a name that was reported
	broken   bool     // current's name line was wrong: it is read, not kept
}

func (p *splitter) token(t token) {
	switch {
	case t.kind == comment:
		p.comment(t)
	case t.kind == space:
		if p.current == nil && strings.Count(t.text, "\n") > 1 {
			p.above = nil
		}
		if p.current != nil && len(p.current.body) > 0 {
			p.current.body = append(p.current.body, t)
		}
	case t.kind == semicolon:
		p.end(t)
	case p.current == nil:
		if !p.nameless {
			p.source.mistake(t.at, nameHint, "a statement without a name")
		}
		p.nameless, p.above = true, nil
	default:
		p.current.body = append(p.current.body, t)
	}
}

func (p *splitter) comment(t token) {
	line := strings.TrimRight(t.text, " \t\r")
	if nameTry.MatchString(line) {
		p.begin(t, line)
		return
	}
	if p.current != nil && p.declaration(t, line) {
		return
	}
	if p.current == nil && declLine.MatchString(line) {
		p.source.mistake(t.at, "move it down, between that line and the statement", "this line belongs below the query's name")
		return
	}
	switch {
	case p.current == nil:
		p.above = append(p.above, commentText(line)...)
	case len(p.current.body) == 0:
		p.current.doc = append(p.current.doc, commentText(line)...)
	default:
		p.current.body = append(p.current.body, t)
	}
}

// begin starts the query that a line names.
func (p *splitter) begin(t token, line string) {
	if p.current != nil {
		p.unfinished()
	}
	p.current = &written{file: p.source, at: t.at, doc: p.above}
	p.above, p.nameless, p.broken = nil, false, false
	m := nameLine.FindStringSubmatch(line)
	switch {
	case m == nil:
		p.broken = true
		p.source.mistake(t.at, nameHint, "this line does not name a query")
		return
	case !commands[m[2]]:
		p.broken = true
		p.source.mistake(t.at+strings.LastIndex(line, m[2]), commandHint, "unknown command %q", m[2])
	case !goMethod.MatchString(m[1]):
		p.broken = true
		p.source.mistake(t.at+strings.Index(line, m[1]), "begin with a capital letter and use letters and digits only, as in TopAuthors",
			"%q cannot be the name of a Go method", m[1])
	}
	p.current.name, p.current.command = m[1], m[2]
}

// declaration reads a line that declares a type.
func (p *splitter) declaration(t token, line string) bool {
	if m := rowLine.FindStringSubmatch(line); m != nil && len(p.current.body) == 0 {
		p.row(t, m[1])
		return true
	}
	m := declLine.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	d, ok := parseDeclared(m[2])
	d.at = t.at
	if !ok {
		p.source.mistake(t.at, fmt.Sprintf("write -- %s: last_at datetime null, with one of the field types", m[1]), "this line does not declare a type")
		return true
	}
	if m[1] == "param" {
		p.current.params = append(p.current.params, d)
	} else {
		p.current.columns = append(p.current.columns, d)
	}
	return true
}

// row reads a line that names the type of the result's rows.
func (p *splitter) row(t token, name string) {
	if !goMethod.MatchString(name) {
		p.source.mistake(t.at, "write -- row: ArticleTotal, with letters and digits", "%q cannot be the name of a Go type", name)
		return
	}
	p.current.row.at, p.current.row.name = t.at, name
}

func (p *splitter) end(t token) {
	q := p.current
	p.current, p.nameless, p.above = nil, false, nil
	if q == nil {
		return
	}
	if len(q.body) == 0 {
		p.source.mistake(t.at, "", "the query %s is empty", q.name)
		return
	}
	if !p.broken {
		p.out = append(p.out, q)
	}
}

func (p *splitter) unfinished() {
	q := p.current
	if len(q.body) == 0 {
		p.source.mistake(q.at, "", "the query %s is empty", q.name)
		return
	}
	last := q.body[0]
	for _, t := range q.body {
		if t.kind != space && t.kind != comment {
			last = t
		}
	}
	p.source.mistake(last.at+len(last.text), "end it with ;", "the query %s has no end", q.name)
}

// commentText returns what a comment says, line by line.
func commentText(c string) []string {
	if text, ok := strings.CutPrefix(c, "--"); ok {
		return []string{strings.TrimSpace(text)}
	}
	var out []string
	for line := range strings.Lines(strings.TrimSuffix(strings.TrimPrefix(c, "/*"), "*/")) {
		if line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "*")); line != "" {
			out = append(out, line)
		}
	}
	return out
}
