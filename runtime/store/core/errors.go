package core

import (
	"fmt"

	"github.com/hegner123/modulagen/runtime/store"
)

// RefusedError is what a driver returns where a check or a NOT NULL of the
// database refuses a value. Where the column is known or can be found it becomes
// a *ValidationError.
type RefusedError struct {
	Datatype string
	Check    string // the constraint's name, or its text
	Column   string
	Null     bool  // the column cannot be NULL
	Cause    error // the database's own error
}

// Error never holds the value.
func (e *RefusedError) Error() string {
	if e.Null {
		return fmt.Sprintf("store: %s: %s cannot be null", e.Datatype, e.Column)
	}
	return fmt.Sprintf("store: %s: the database's check %s refuses a value", e.Datatype, e.Check)
}

// Is makes errors.Is(err, ErrInvalid) hold.
func (e *RefusedError) Is(target error) bool { return target == store.ErrInvalid }

// Unwrap returns the database's own error.
func (e *RefusedError) Unwrap() error { return e.Cause }

// TooLargeError is what a driver returns for a statement with larger values than its server takes,
// before it is sent. A write's becomes a *ValidationError that names the largest of them.
type TooLargeError struct {
	Limit   int    // bytes that a statement may have, its values included
	Setting string // of the server, which says so
}

// Error says what to change.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("store: %v: the values of a statement are larger than the server takes: its %s is %d bytes", store.ErrInvalid, e.Setting, e.Limit)
}

// Is makes errors.Is(err, ErrInvalid) hold.
func (e *TooLargeError) Is(target error) bool { return target == store.ErrInvalid }

// Coded marks err with one of the sentinels; drivers use it. The text is err's.
func Coded(sentinel, err error) error { return &codedError{sentinel, err} }

type codedError struct{ sentinel, err error }

func (e *codedError) Error() string   { return e.sentinel.Error() + ": " + e.err.Error() }
func (e *codedError) Unwrap() []error { return []error{e.sentinel, e.err} }

// ErrWriteRefused is the error of a write, or of a lock, in a transaction that is to be read-only.
var ErrWriteRefused = fmt.Errorf("%w: a transaction with TxOptions.ReadOnly neither writes nor locks rows", store.ErrInvalid)

// invalidQuery says what is wrong in a part of a Query, which a program may have from its own caller.
func invalidQuery(datatype, part, rule, message string) error {
	return &store.ValidationError{Datatype: datatype, Violations: []store.Violation{{Field: part, Rule: rule, Message: message}}}
}

func invalidf(format string, args ...any) error {
	return fmt.Errorf("store: %w: %s", store.ErrInvalid, fmt.Sprintf(format, args...))
}
