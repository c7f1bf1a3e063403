package script

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Classes are all classes, from the harmless to the one that the definitions must call for.
var Classes = []Class{Safe, Blocks, Rewrites, Data, Destroys}

// Checksum returns the SHA-256 of a file in hexadecimal digits, whichever line ends a checkout gave it and with
// or without a byte order mark.
func Checksum(text string) string {
	sum := sha256.Sum256([]byte(unmarked(text)))
	return hex.EncodeToString(sum[:])
}

// unmarked is a file's text without what editors and checkouts on Windows add to it: a byte order mark at
// its start, and carriage returns at the ends of lines.
func unmarked(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
}

// String returns the file. Parse of it returns the script, with lines.
func (s *Script) String() string {
	text := s.text()
	if !strings.Contains(text, "\r") {
		return text
	}
	mark := returnMark // a checkout may add and remove carriage returns at the ends of lines
	for strings.Contains(text, mark) {
		mark += returnMark
	}
	header, rest, _ := strings.Cut(text, "\n")
	return header + "\n-- " + returnsWord + mark + "\n" + strings.ReplaceAll(rest, "\r", mark)
}

const (
	returnsWord = "carriage returns are written as "
	returnMark  = "\u240d" // the symbol for one
)

func (s *Script) text() string {
	var b strings.Builder
	if s.Parent == "" {
		comment(&b, "migration "+s.Name+firstWord)
	} else {
		comment(&b, "migration "+s.Name+", after "+s.Parent)
	}
	if s.Refused == "" {
		comment(&b, programsWord+": "+allowedWord)
	} else {
		comment(&b, programsWord+": "+refusedWord+s.Refused)
	}
	if s.After != "" {
		comment(&b, waitsWord+s.After)
	}
	for i := range s.Steps {
		b.WriteByte('\n')
		s.Steps[i].write(&b, i+1)
	}
	return b.String()
}

func comment(b *strings.Builder, text string) {
	b.WriteString("-- " + strings.ReplaceAll(text, "\n", "\n"+continuation) + "\n")
}

func (s *Step) write(b *strings.Builder, number int) {
	comment(b, fmt.Sprintf("step %d, %s: %s", number, s.Class, s.What))
	if s.Note != "" {
		comment(b, "note: "+s.Note)
	}
	if s.Alone {
		comment(b, "alone: outside a transaction")
	}
	if s.Locked != "" {
		comment(b, "locks: "+s.Locked)
	}
	if s.Rebuilt != "" {
		comment(b, "rebuilds: "+s.Rebuilt)
	}
	if len(s.LeavesOut) > 0 {
		comment(b, "leaves out: "+strings.Join(s.LeavesOut, ", "))
	}
	if s.Batches != "" {
		comment(b, "batches: "+s.Batches)
	}
	for _, r := range s.Refuse {
		comment(b, "refuse: "+r.Query)
		comment(b, "because: "+r.Because)
	}
	for _, st := range s.Statements {
		st.write(b)
	}
	if s.Run != "" {
		comment(b, "run: "+s.Run)
	}
}

func (s *Statement) write(b *strings.Builder) {
	for _, p := range s.Done {
		comment(b, "done when: "+p.String())
	}
	if s.Repeatable {
		comment(b, "repeatable: it may run twice")
	}
	for _, or := range s.Or {
		comment(b, "or: "+or)
	}
	if last, inside := lastLine(s.SQL); inside {
		comment(b, "ends with: "+last)
	}
	b.WriteString(terminated(s.SQL) + "\n")
}

// Belongs refuses the script of another migration, as in a folder that was copied.
func (s *Script) Belongs(file, name, parent string) error {
	if s.Name == name && s.Parent == parent {
		return nil
	}
	want := &Script{Name: name, Parent: parent}
	header, _, _ := strings.Cut(want.String(), "\n")
	return &Mistake{file, 1, fmt.Sprintf("the file is of the migration %s, after %q: write %q", s.Name, s.Parent, header)}
}

// String returns the probe as it stands in a file: "no column article title".
func (p Probe) String() string {
	text := p.Kind + " " + p.Table
	if p.Name != "" {
		text += " " + p.Name
	}
	if p.Missing {
		text = "no " + text
	}
	return text
}

// Units returns how many parts of a step are recorded one by one: its statements and its data
// step in Go, and one of a step that has neither.
func (s *Step) Units() int {
	n := len(s.Statements)
	if s.Run != "" {
		n++
	}
	return max(n, 1)
}
