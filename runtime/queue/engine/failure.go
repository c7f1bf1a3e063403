package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
)

// failure wraps a handler's error before the engine uses it. The error's methods
// belong to the program: they may panic, at once or when what they refer to has
// changed, so the engine's own goroutines must not call them. The text is read once,
// in the handler's goroutine.
type failure struct {
	err   error // of the handler
	text  string
	sound bool // its methods were tried, and none panicked
}

// Error returns the text as it was when the handler returned.
func (f *failure) Error() string { return f.text }

// Is is errors.Is for the handler's error; false if that panics.
func (f *failure) Is(target error) (is bool) {
	defer func() { is = recover() == nil && is }()
	return errors.Is(f.err, target)
}

// As is errors.As for the handler's error; false if that panics.
func (f *failure) As(target any) (as bool) {
	defer func() { as = recover() == nil && as }()
	return errors.As(f.err, target)
}

// failed returns a failure that wraps err; nil for nil.
func failed(err error) *failure {
	if err == nil {
		return nil
	}
	if f, ok := err.(*failure); ok {
		return f
	}
	f := &failure{err: err}
	f.text, f.sound = textOf(err)
	f.sound = f.sound && walks(err)
	return f
}

// sound returns err itself if its methods do not panic, and a failure that wraps it
// otherwise. Middleware receives err itself where possible, since it may compare it.
func sound(err error) error {
	if f := failed(err); f != nil && !f.sound {
		return f
	}
	return err
}

// own returns the handler's error itself, for functions of the program that may
// compare it.
func own(err error) error {
	if f, ok := err.(*failure); ok {
		return f.err
	}
	return err
}

// textOf returns an error's text, or a text that says that its Error method panicked.
func textOf(err error) (text string, ok bool) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		hint := ""
		if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
			hint = "; a nil pointer that is returned as an error is not a nil error"
		}
		text, ok = fmt.Sprintf("queue: the handler's error is a %T whose Error method panicked: %s%s", err, describe(p), hint), false
	}()
	return err.Error(), true
}

// nobody is an error that no other matches, so that a search for it visits the whole
// tree of an error.
type nobody struct{ error }

var errNobody error = &nobody{}

// walks visits an error as errors.Is and errors.As do, and reports whether no method
// panicked.
func walks(err error) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	_, _ = errors.AsType[*nobody](err)
	_ = errors.Is(err, errNobody)
	return true
}

// undecided is an error by which no handler has said what becomes of its job: that of a
// panic, of a handler that was given up, or of a context that ended under it.
type undecided struct{ error }

func (u *undecided) Unwrap() error { return u.error }

// interrupted reports whether a handler returned no more than that its context has ended.
func interrupted(ctx context.Context, f *failure) bool {
	cause := context.Cause(ctx)
	return cause != nil && (errors.Is(f, context.Canceled) || errors.Is(f, context.DeadlineExceeded) || errors.Is(f, cause))
}

// describe formats the value of a panic, whose methods may panic as well.
func describe(p any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T that cannot be printed", p)
		}
	}()
	return fmt.Sprint(p)
}

// panicked returns the error for a panic in what, with the stack.
func panicked(what string, p any) error {
	return &undecided{fmt.Errorf("queue: %s panicked: %s\n%s", what, describe(p), debug.Stack())}
}
