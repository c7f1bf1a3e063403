package queue

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
)

// failure is what the engine makes of a handler's error before it does anything
// with it. The error's methods are the program's: they may panic, at once or when
// what they refer to has changed, and the engine's own goroutines must not run
// them. The text is made once, in the handler's goroutine.
type failure struct {
	err   error // the handler's
	text  string
	sound bool // its methods were tried, and none panicked
}

// Error returns the text as it was when the handler returned.
func (f *failure) Error() string { return f.text }

// Is answers as the handler's error does, and with false where that panics.
func (f *failure) Is(target error) (is bool) {
	defer func() { is = recover() == nil && is }()
	return errors.Is(f.err, target)
}

// As answers as the handler's error does, and with false where that panics.
func (f *failure) As(target any) (as bool) {
	defer func() { as = recover() == nil && as }()
	return errors.As(f.err, target)
}

// failed makes a failure of an error; nil of nil.
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

// sound returns an error as it is when the engine can use it, and a failure in
// its place otherwise. Middleware gets the former wherever it can: it may compare.
func sound(err error) error {
	if f := failed(err); f != nil && !f.sound {
		return f
	}
	return err
}

// own returns the handler's error itself, for functions of the program's that
// may compare it.
func own(err error) error {
	if f, ok := err.(*failure); ok {
		return f.err
	}
	return err
}

// textOf returns an error's text, or what is wrong with it.
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

// nobody is an error that no other is, so that a search for it asks all of them.
type nobody struct{ error }

var errNobody error = &nobody{}

// walks goes through an error as errors.Is and errors.As do.
func walks(err error) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	_, _ = errors.AsType[*nobody](err)
	_ = errors.Is(err, errNobody)
	return true
}

// describe prints what was panicked with, whose methods may panic as well.
func describe(p any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("a %T that cannot be printed", p)
		}
	}()
	return fmt.Sprint(p)
}

// panicked is the error of a panic in what, with the stack.
func panicked(what string, p any) error {
	return fmt.Errorf("queue: %s panicked: %s\n%s", what, describe(p), debug.Stack())
}
