package rowtemplate

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/store"
)

// What Execute returns, for errors.Is. Errors of Compile are store.ErrInvalid.
var (
	// ErrTooLarge says that the output would be over Options.MaxOutput, or that the
	// template reads more of the row than it may.
	ErrTooLarge = errors.New("rowtemplate: too large")
	// ErrValue says that a value of the row cannot stand where the template has it: a
	// line break in a header, ".." as a part of a path.
	ErrValue = errors.New("rowtemplate: value cannot stand there")
)

// Error is what is wrong with a template, or with a row that it is executed on. Its
// text has nothing of a row's values.
type Error struct {
	// Line and Column say where, from 1; the column counts characters, and is 0 where
	// only the line is known.
	Line, Column int
	Message      string

	is error
}

// Error returns "rowtemplate: 3:14: ...".
func (e *Error) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("rowtemplate: line %d: %s", e.Line, e.Message)
	}
	return fmt.Sprintf("rowtemplate: %d:%d: %s", e.Line, e.Column, e.Message)
}

// Unwrap returns store.ErrInvalid, ErrTooLarge or ErrValue.
func (e *Error) Unwrap() error { return e.is }

// source is a template's text, for positions in it.
type source string

func (s source) errorAt(offset int, is error, format string, args ...any) *Error {
	before := string(s)[:min(max(offset, 0), len(s))]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return &Error{
		Line:    1 + strings.Count(before, "\n"),
		Column:  1 + utf8.RuneCountInString(line),
		Message: fmt.Sprintf(format, args...),
		is:      is,
	}
}

// invalid is what is wrong with the template itself.
func (s source) invalid(offset int, format string, args ...any) *Error {
	return s.errorAt(offset, store.ErrInvalid, format, args...)
}

// quote quotes what somebody wrote, cut to a length that suits a message.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
