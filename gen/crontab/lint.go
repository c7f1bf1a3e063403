package crontab

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

// MaxSize is how many bytes a crontab may have.
const MaxSize = 1 << 20

// Level is how much a finding matters.
type Level string

// The levels.
const (
	Wrong   Level = "wrong"   // it cannot be a schedule here
	Differs Level = "differs" // it would behave otherwise
	Note    Level = "note"    // it may not be what was meant, in cron neither
)

// Finding is something about a line.
type Finding struct {
	Level   Level  `json:"level"`
	Column  int    `json:"column"` // in characters from 1
	Message string `json:"message"`
}

// Line is a line of a crontab that has a schedule or a finding.
type Line struct {
	Number   int       `json:"line"`
	Text     string    `json:"text"`
	Schedule string    `json:"schedule,omitempty"` // in its one form; "" for other lines
	TimeZone string    `json:"time_zone,omitempty"`
	Words    string    `json:"words,omitempty"`
	User     string    `json:"user,omitempty"`
	Findings []Finding `json:"findings"`
}

// Report is what is said about a crontab.
type Report struct {
	System bool   `json:"system"` // the sixth field is a user
	Lines  []Line `json:"lines"`
}

// Wrong reports whether a line cannot be a schedule here.
func (r *Report) Wrong() bool {
	for _, l := range r.Lines {
		for _, f := range l.Findings {
			if f.Level == Wrong {
				return true
			}
		}
	}
	return false
}

// Lint reads a crontab, of a user or of the system: it is the latter's when a line has root for
// its user. o says how its schedules are read up to a CRON_TZ=.
func Lint(text []byte, o schedule.Options) (*Report, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("the crontab has %d bytes, and %d are permitted", len(text), MaxSize)
	}
	l := &linter{options: o}
	lines := strings.Split(string(text), "\n")
	for _, line := range lines {
		l.report.System = l.report.System || asRoot.MatchString(line)
	}
	for i, line := range lines {
		l.line = Line{Number: i + 1, Text: line, Findings: []Finding{}}
		l.read(line)
		if i == len(lines)-1 && line != "" {
			l.find(Differs, utf8.RuneCountInString(line), "the last line has no newline at its end: cron ignores it or refuses the file")
		}
		if l.line.Schedule != "" || len(l.line.Findings) > 0 {
			l.report.Lines = append(l.report.Lines, l.line)
		}
	}
	return &l.report, nil
}

var (
	// asRoot is an entry of a system's crontab.
	asRoot = regexp.MustCompile(`^\s*(@\w+|([^\s#=]+\s+){4}[^\s=]+)\s+root\s+\S`)
	// setting is a line that sets a variable.
	setting = regexp.MustCompile(`^\s*(["']?)(\w+)["']?\s*=\s*(.*?)\s*$`)
	fields  = regexp.MustCompile(`^\s*((?:@\S+)|(?:\S+\s+){4}\S+)(?:\s+(.*))?$`)
)

type linter struct {
	options schedule.Options
	report  Report
	line    Line
}

func (l *linter) find(level Level, column int, format string, args ...any) {
	l.line.Findings = append(l.line.Findings, Finding{level, column, fmt.Sprintf(format, args...)})
}

func (l *linter) read(line string) {
	if bytes.HasSuffix([]byte(line), []byte("\r")) {
		l.find(Differs, utf8.RuneCountInString(line), "the line ends with a carriage return, which cron makes part of it")
		line = strings.TrimSuffix(line, "\r")
	}
	trimmed := strings.TrimSpace(line)
	switch m := setting.FindStringSubmatch(line); {
	case trimmed == "" || trimmed[0] == '#':
	case m != nil:
		l.set(m[2], strings.Trim(m[3], `"'`), column(line, strings.Index(line, "=")+1))
	default:
		l.entry(line)
	}
}

// set is about a variable.
func (l *linter) set(name, value string, at int) {
	switch name {
	case "CRON_TZ":
		loc, err := schedule.Location(value)
		if e, ok := errors.AsType[*schedule.ParseError](err); ok {
			l.find(Wrong, at, "%s; %s", e.Problem, e.Hint)
			return
		}
		l.options.Location = loc
		l.find(Differs, 1, "the zone holds for the lines below; here it is a field of each job, or CRON_TZ=%s before its schedule", value)
	case "TZ":
		l.find(Differs, 1, "TZ is a variable of the commands, and says nothing about schedules; cronie's CRON_TZ does")
	case "MAILTO", "MAILFROM":
		if value != "" {
			l.find(Differs, 1, "nothing is mailed: the output of a run is in its row of the history")
		}
	case "RANDOM_DELAY":
		l.find(Differs, 1, "here it is a field of each job, the jitter, and always the same for a job")
	default:
		l.find(Differs, 1, "%s is a variable of commands: an action runs in the program, with its environment", name)
	}
}

// entry is about a line with a schedule.
func (l *linter) entry(line string) {
	m := fields.FindStringSubmatchIndex(line)
	if m == nil {
		l.find(Wrong, 1, "the line has no five fields and a command")
		return
	}
	expr, start := line[m[2]:m[3]], m[2]
	command, at := "", len(line)
	if m[4] >= 0 {
		command, at = line[m[4]:m[5]], m[4]
	}
	s, err := schedule.Parse(expr, l.options)
	if e, ok := errors.AsType[*schedule.ParseError](err); ok {
		text := e.Problem
		if e.Hint != "" {
			text += "; " + e.Hint
		}
		l.find(Wrong, column(line, start+e.Offset), "%s", text)
	} else {
		l.line.Schedule, l.line.Words, l.line.TimeZone = s.String(), s.Describe(), s.Location().String()
		for _, w := range s.Warnings() {
			l.find(Note, column(line, start), "%s", w)
		}
		l.clocks(expr, column(line, start))
	}
	l.command(line, command, at)
}

// clocks is about the field of minutes or hours that begins with *, which for cron means that the
// job follows the clock.
func (l *linter) clocks(expr string, at int) {
	words := strings.Fields(expr)
	if len(words) != 5 || words[1] == "*" || words[0][0] != '*' && words[1][0] != '*' {
		return
	}
	l.find(Differs, at, "where clocks are moved, cron follows them, because a field of the time begins with *; here each of its local times is due once")
}

// command is about what follows the fields.
func (l *linter) command(line, command string, at int) {
	if l.report.System {
		user, rest := command, ""
		if i := strings.IndexAny(command, " \t"); i >= 0 {
			user, rest = command[:i], strings.TrimLeft(command[i:], " \t")
		}
		if rest == "" {
			l.find(Wrong, column(line, at), "the line has no user and command")
			return
		}
		l.line.User = user
		l.find(Differs, column(line, at), "it runs as %s: an action runs in the program, as its user", user)
		at, command = at+len(command)-len(rest), rest
	}
	switch first, _, _ := strings.Cut(command, " "); {
	case first == "":
		l.find(Wrong, column(line, at), "the line has no command")
	case first == "*" || first == "?" || strings.HasPrefix(first, "*/"):
		l.find(Wrong, column(line, at), "a crontab has five fields: cron takes %q for the command", first)
	}
	if i := percent(command); i >= 0 {
		l.find(Differs, column(line, at+i), "cron ends the command at %%, and passes it the rest as its input: an action has its configuration")
	} else if i := strings.Index(command, `\%`); i >= 0 {
		l.find(Differs, column(line, at+i), `\%% is cron's way to write %%: configuration needs no backslash`)
	}
}

// percent is the place of a % that no backslash precedes, or -1.
func percent(command string) int {
	for i := range len(command) {
		if command[i] == '%' && (i == 0 || command[i-1] != '\\') {
			return i
		}
	}
	return -1
}

// column is a place of a line in characters from 1.
func column(line string, at int) int {
	return utf8.RuneCountInString(line[:min(at, len(line))]) + 1
}
