package schedule

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrInvalid is the error of a text that is no schedule. It is always a *ParseError.
var ErrInvalid = errors.New("schedule: invalid")

// ParseError says what is wrong in an expression, at which character, and what to write instead.
type ParseError struct {
	Expr    string // the whole text
	Offset  int    // of the part that is wrong, in bytes from 0
	Problem string
	Hint    string // what is permitted or meant; "" where the problem says it
}

// shown is how many bytes of an expression messages repeat.
const shown = 120

// Error says what and where. Characters are counted from 1.
func (e *ParseError) Error() string {
	text := e.Expr
	if len(text) > shown {
		text = text[:shown] + "..."
	}
	msg := fmt.Sprintf("schedule: %q, character %d: %s", text, e.Character(), e.Problem)
	if e.Hint != "" {
		msg += "; " + e.Hint
	}
	return msg
}

// Character is the place of the part that is wrong, in characters from 1.
func (e *ParseError) Character() int {
	return utf8.RuneCountInString(e.Expr[:min(e.Offset, len(e.Expr))]) + 1
}

// Is reports whether target is ErrInvalid.
func (e *ParseError) Is(target error) bool { return target == ErrInvalid }
