package mail

import (
	"errors"
	"fmt"
)

// ErrInvalid is what errors about messages and addresses that cannot be sent are, by errors.Is:
// those of ParseAddress, ParseAddressList, Message.Prepare and Outgoing.Compose.
var ErrInvalid = errors.New("mail: invalid message")

// InvalidError is one field of a message that cannot be sent.
type InvalidError struct {
	Field   string // as in Go: "Subject", `Headers["X-A"]`, "To[2]"; of an address alone "address"
	Problem string
}

// Error returns the field and what is wrong with it.
func (e *InvalidError) Error() string { return "mail: " + e.Field + ": " + e.Problem }

// Is reports whether target is ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// maxProblems bounds how many errors are reported of one message.
const maxProblems = 20

// problems collects what is wrong with a message.
type problems struct {
	list []error
	more int
}

func (p *problems) add(field, format string, args ...any) {
	if len(p.list) == maxProblems {
		p.more++
		return
	}
	p.list = append(p.list, &InvalidError{Field: field, Problem: fmt.Sprintf(format, args...)})
}

// check adds what is wrong with a field, where problem is not "".
func (p *problems) check(field, problem string) {
	if problem != "" {
		p.add(field, "%s", problem)
	}
}

// err returns all of them as one error, or nil.
func (p *problems) err() error {
	if p.more > 0 {
		p.list = append(p.list, &InvalidError{Field: "message", Problem: fmt.Sprintf("%d more errors", p.more)})
		p.more = 0
	}
	return errors.Join(p.list...)
}
