package cache

import (
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/runtime/cache/backend"

	"github.com/hegner123/modulagen/runtime/store"
)

// What can go wrong, for errors.Is. A wrong key, tag, time to live or option is
// store.ErrInvalid; a database error keeps the store's sentinels.
var (
	// ErrNone says that there is nothing under a key. A load returns it, or an
	// error that wraps it, to say so; Fetch returns it then, and keeps the fact
	// for Options.NegativeTTL.
	ErrNone = errors.New("cache: nothing is there")
	// ErrTooLarge says that an encoded value is over the limit.
	ErrTooLarge = errors.New("cache: the value is too large")
	// ErrNotNumber says that Increment met an entry that is no whole number.
	ErrNotNumber = backend.ErrNotNumber
	// ErrRecursive says that a load fetches the key that it is loading.
	ErrRecursive = errors.New("cache: the load fetches its own key")
	// ErrLoadTimeout says that a load took longer than Options.LoadTimeout.
	ErrLoadTimeout = errors.New("cache: the load took too long")
)

// PanicError is what Fetch returns to each waiter when the load panicked.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // where
}

// Error says what the load panicked with, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("cache: the load panicked: %v", e.Value) }

// Unwrap returns the error that the load panicked with, or nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

func invalidf(format string, args ...any) error {
	return fmt.Errorf("cache: %w: %s", store.ErrInvalid, fmt.Sprintf(format, args...))
}
