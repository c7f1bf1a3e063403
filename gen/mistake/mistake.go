// Package mistake holds what a person wrote wrong, and where.
//
// Every stage that reads a person's text (definitions, configuration, SQL)
// reports through it, so that all of them print alike and all at once.
package mistake

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Mistake is one thing that is wrong in a file that a person wrote.
type Mistake struct {
	File    string `json:"file"`           // as the person would name it, relative to the project
	Line    int    `json:"line"`           // from 1; 0 when the whole file is meant
	Column  int    `json:"column"`         // from 1, in characters; 0 when the whole line is meant
	Source  string `json:"source"`         // the line itself, without its end
	Message string `json:"message"`        // what is wrong, in lower case and without a full stop
	Hint    string `json:"hint,omitempty"` // what to write instead
}

// String returns the mistake as an editor or a person reads it:
//
//	datatypes/article.yaml:7:5: unknown key "requierd"
//	    requierd: true
//	    ^
//	    write "required"
func (m Mistake) String() string {
	var b strings.Builder
	b.WriteString(Printable(m.File))
	if m.Line > 0 {
		fmt.Fprintf(&b, ":%d", m.Line)
		if m.Column > 0 {
			fmt.Fprintf(&b, ":%d", m.Column)
		}
	}
	fmt.Fprintf(&b, ": %s", m.Message)
	if m.Source != "" {
		fmt.Fprintf(&b, "\n    %s", strings.ReplaceAll(m.Source, "\t", " "))
		if m.Column > 0 {
			fmt.Fprintf(&b, "\n    %s^", strings.Repeat(" ", m.Column-1))
		}
	}
	if m.Hint != "" {
		fmt.Fprintf(&b, "\n    %s", m.Hint)
	}
	return b.String()
}

// Printable replaces what a terminal would act on, such as escape sequences and
// marks that change the direction of writing, and ends of lines.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
}

// List is every mistake that a stage found. A nil or empty list is no error:
// return List.Err(), never the list itself.
type List []Mistake

// Err returns the list as an error, sorted by place, or nil when it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	slices.SortStableFunc(l, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l
}

// Error returns all mistakes, one after the other.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, m := range l {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}
