package store

import (
	"errors"
	"fmt"
	"strings"
)

// What went wrong, for errors.Is. Each is the same on every database.
var (
	ErrNotFound  = errors.New("not found")
	ErrConflict  = errors.New("another row has this key")                                    // a *ConflictError carries the key
	ErrInvalid   = errors.New("invalid")                                                     // of values, a *ValidationError carries the fields
	ErrReference = errors.New("a reference does not hold")                                   // a *ReferenceError carries which
	ErrClosed    = errors.New("closed")                                                      // the database was closed, or the transaction has ended
	ErrSchema    = errors.New("the database's tables do not match")                          // a *SchemaError carries the difference
	ErrBusy      = errors.New("busy")                                                        // lock wait, deadlock or serialization failure; Tx has retried
	ErrFull      = errors.New("no room left")                                                // the disk or the database's own limit
	ErrStale     = errors.New("the row has another version, or does not meet the condition") // of a conditional write: another may have changed it
	ErrMove      = errors.New("the state of the row forbids this")                           // a *MoveError carries the states
	ErrMigration = errors.New("a migration failed")                                          // a *MigrationError carries where
)

// ConflictError says which unique key another row already has.
type ConflictError struct {
	Datatype string
	Key      string   // the index's name in the database; may be empty where the database does not say
	Fields   []string // its columns
}

// Error never holds the values, which may be secret.
func (e *ConflictError) Error() string {
	what := strings.Join(e.Fields, ", ")
	if what == "" {
		what = e.Key
	}
	return fmt.Sprintf("store: %s: another row has the same %s", e.Datatype, what)
}

// Is makes errors.Is(err, ErrConflict) hold.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// ValidationError carries every rule that the values of a write break, or what is wrong
// in a query: its limit, or a cursor of another list. As JSON it is what a client may
// see: it has no value of a secret, and not the database's own error.
type ValidationError struct {
	Datatype   string      `json:"datatype"`
	Many       bool        `json:"many,omitzero"` // of CreateMany: the error is about one of its rows
	Row        int         `json:"row"`           // which, from 0; 0 where Many is false
	Violations []Violation `json:"violations"`
	Cause      error       `json:"-"` // the database's own error, if the rules of the definition let the values pass
}

// Violation is one broken rule.
type Violation struct {
	Field   string `json:"field"`   // column name; of a query, "limit" or "after"
	Rule    string `json:"rule"`    // "required", "min", "max", "pattern", "options", "email", ...
	Message string `json:"message"` // for people, to stand behind the field's name; never the value of a secret
}

// Error lists every violation on one line.
func (e *ValidationError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "store: %s", e.Datatype)
	if e.Many {
		fmt.Fprintf(&b, " row %d", e.Row)
	}
	b.WriteString(" is invalid: ")
	for i, v := range e.Violations {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s %s", v.Field, v.Message)
	}
	return b.String()
}

// Is makes errors.Is(err, ErrInvalid) hold.
func (e *ValidationError) Is(target error) bool { return target == ErrInvalid }

// Unwrap returns the database's own error, or nil.
func (e *ValidationError) Unwrap() error { return e.Cause }

// ReferenceError says which reference a write would have broken, as far as that
// is known: names may be empty. Without Missing and Pointed it is not known
// which of the two it was.
type ReferenceError struct {
	Datatype string // whose row was to be written or deleted
	Missing  bool   // Field of the row points to a row that does not exist
	Pointed  bool   // a row of From still points to the row with Field
	Key      string // the foreign key's name in the database
	From     string // the datatype that has the reference
	Field    string // its column
	To       string // the datatype that it points to
	Cause    error  // the database's own error, for errors.As
}

// Error never holds the values.
func (e *ReferenceError) Error() string {
	field := e.Field
	if field == "" {
		field = "a reference"
	}
	switch {
	case e.Missing && e.To != "":
		return fmt.Sprintf("store: %s: %s points to a row of %s that does not exist", e.Datatype, field, e.To)
	case e.Missing:
		return fmt.Sprintf("store: %s: %s points to a row that does not exist", e.Datatype, field)
	case e.Pointed && e.From != "":
		return fmt.Sprintf("store: %s: the row is still pointed to by %s of %s", e.Datatype, field, e.From)
	case e.Pointed:
		return fmt.Sprintf("store: %s: the row is still pointed to by another", e.Datatype)
	case e.Field != "":
		return fmt.Sprintf("store: %v: %s of %s", ErrReference, e.Field, e.From)
	}
	return fmt.Sprintf("store: %v: one side of it is missing", ErrReference)
}

// Is makes errors.Is(err, ErrReference) hold.
func (e *ReferenceError) Is(target error) bool { return target == ErrReference }

// Unwrap returns the database's own error.
func (e *ReferenceError) Unwrap() error { return e.Cause }

// MoveError reports that the workflow of a datatype does not allow a move of a row.
type MoveError struct {
	Datatype string
	Field    string   // the column of the state
	From     string   // the state that the row has
	To       string   // the state that it was to move to
	Allowed  []string // the states that it can move to, in the order of the definition; empty: From is final
}

// Error names both states, and what is allowed.
func (e *MoveError) Error() string {
	if e.From == e.To {
		return fmt.Sprintf("store: %s: %s is %s already", e.Datatype, e.Field, e.From)
	}
	allowed := e.From + " is final"
	if len(e.Allowed) > 0 {
		allowed = "from there it can move to " + strings.Join(e.Allowed, ", ")
	}
	return fmt.Sprintf("store: %s: %s cannot move from %s to %s; %s", e.Datatype, e.Field, e.From, e.To, allowed)
}

// Is makes errors.Is(err, ErrMove) hold.
func (e *MoveError) Is(target error) bool { return target == ErrMove }
