package lua

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	vm "github.com/yuin/gopher-lua"
)

// BoundError is the error of a run that was stopped because it went beyond one of the Options. It
// is not retried.
type BoundError struct {
	Where string // file and line of the plugin, such as plugins/reports/main.lua:12
	Bound string // what there was too much of, such as more than 10,000,000 instructions
}

// Error says where and what.
func (e *BoundError) Error() string {
	if e.Where == "" {
		return e.Bound
	}
	return e.Where + ": " + e.Bound
}

// maxString is how many bytes one string may have.
const maxString = 16 << 20

// lookEvery is how many instructions are executed between two looks at the clock.
const lookEvery = 256

var errTime = errors.New("time")

// usage is what a run has used, and what it may use. It is the context of the VM, which asks it
// before each instruction whether it is done.
type usage struct {
	ctx    context.Context // ends with the time of the run
	limits Options
	states []*vm.LState // the VM's, the current one last: a pcall has one of its own

	instructions int64
	next         int64 // when to look
	allocated    int64
	output       int64
	calls        int
	stopped      error
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Done is asked before each instruction, and counts it.
func (u *usage) Done() <-chan struct{} {
	u.instructions++
	if u.instructions >= u.next {
		u.look()
	}
	if u.stopped != nil {
		return closed
	}
	return nil
}

// Err is why the run was stopped.
func (u *usage) Err() error { return u.stopped }

// Deadline and Value make it a context.
func (u *usage) Deadline() (time.Time, bool) { return u.ctx.Deadline() }

// Value has none of its own.
func (u *usage) Value(key any) any { return u.ctx.Value(key) }

func (u *usage) look() {
	u.next = min(u.instructions+lookEvery, u.limits.Instructions+1)
	if u.instructions > u.limits.Instructions {
		u.stop("more than %s instructions", grouped(u.limits.Instructions))
	}
	if u.ctx.Err() != nil {
		u.ended()
	}
}

// ended stops a run whose context has ended: by its time, or because the worker ends.
func (u *usage) ended() {
	if errors.Is(context.Cause(u.ctx), errTime) {
		u.stop("more than %s", u.limits.Time)
	} else if u.stopped == nil {
		u.stopped = context.Cause(u.ctx)
	}
}

// stop ends the run for good: whatever catches the error gets it again at its next instruction.
func (u *usage) stop(format string, args ...any) {
	if u.stopped == nil {
		u.stopped = &BoundError{u.where(), fmt.Sprintf(format, args...)}
	}
}

// where is the line of the plugin that is being executed.
func (u *usage) where() string {
	for i := len(u.states) - 1; i >= 0; i-- {
		for level := 0; ; level++ {
			at := u.states[i].Where(level)
			if at == "" {
				break
			}
			if at != "[G]:" {
				return strings.TrimSuffix(at, ":")
			}
		}
	}
	return ""
}

// work counts what a function of Go does as n instructions.
func (u *usage) work(n int) {
	u.instructions += int64(n)
	if u.instructions >= u.next {
		u.look()
	}
	u.check()
}

// charge accounts for n bytes that are about to be allocated.
func (u *usage) charge(n int) {
	if n < 0 || int64(n) > u.limits.Memory-u.allocated {
		u.stop("more than %s of memory", inBytes(u.limits.Memory))
		u.check()
	}
	u.allocated += int64(n)
}

// text accounts for a string of n bytes.
func (u *usage) text(n int) {
	if n > maxString {
		u.stop("a string of more than %s", inBytes(maxString))
		u.check()
	}
	u.charge(n + 32)
	u.work(n >> 6)
}

// called counts a call of something outside of the plugin.
func (u *usage) called() {
	if u.calls++; u.calls > u.limits.Calls {
		u.stop("more than %s calls of db, cache, http and enqueue", grouped(int64(u.limits.Calls)))
	}
	u.check()
}

// check raises the error of a run that was stopped.
func (u *usage) check() {
	if u.stopped != nil {
		u.states[len(u.states)-1].RaiseError("%s", u.stopped.Error())
	}
}

// grouped writes a number with commas.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// inBytes writes a number of bytes in the largest unit that it is a whole number of.
func inBytes(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
	}
	return grouped(n) + " bytes"
}
