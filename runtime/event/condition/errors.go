package condition

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
)

// maxMistakes bounds what one Error reports.
const maxMistakes = 20

// Error is a condition that cannot be used.
type Error struct {
	// Mistakes is never empty, in the order of the text; there are at most 20.
	Mistakes []Mistake
}

// Mistake is one thing that is wrong with a condition.
type Mistake struct {
	Path    string // "$.all_of[1].eq"
	Offset  int    // of its first byte in the text, from 0
	Message string // what is wrong and what to write
}

// String returns "$.all_of[1].eq (byte 52): ...".
func (m Mistake) String() string {
	return fmt.Sprintf("%s (byte %d): %s", m.Path, m.Offset, m.Message)
}

// Error returns every mistake, one a line where there are several.
func (e *Error) Error() string {
	if len(e.Mistakes) == 1 {
		return "condition: " + e.Mistakes[0].String()
	}
	lines := make([]string, len(e.Mistakes))
	for i, m := range e.Mistakes {
		lines[i] = m.String()
	}
	return fmt.Sprintf("condition: %d mistakes:\n%s", len(lines), strings.Join(lines, "\n"))
}

// Is reports whether target is store.ErrInvalid.
func (e *Error) Is(target error) bool { return target == store.ErrInvalid }

// quote quotes what somebody wrote, cut to a length that suits a message.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
