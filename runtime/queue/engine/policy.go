package engine

import (
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/handlererr"
	"github.com/hegner123/modulagen/runtime/queue/protocol"

	"github.com/hegner123/modulagen/runtime/store"
)

// Policy is how jobs of one kind run. The zero value sets no limits.
type Policy struct {
	Timeout     time.Duration // of one run of the handler; 0: none
	Backoff     queue.Backoff // nil: Options.Backoff
	Rate        Rate          // starts, over all processes
	Concurrency int           // runs at once, over all processes; 0: no limit
}

// Rate allows Max starts in any span of Every; none with Max 0.
type Rate struct {
	Max   int
	Every time.Duration
}

// delay calls a backoff, recovers if it panics, and bounds what it returns.
func delay(b queue.Backoff, n int, err error) (d time.Duration) {
	defer func() {
		if recover() != nil {
			d = queue.Exponential(n, err)
		}
		d = handlererr.Bounded(d)
	}()
	return b(n, err)
}

// HoldTime is the hold of a row that is not due. Generated code writes it.
const HoldTime = protocol.HoldTime

// HoldUntil returns the hold of a row that is to run at a time. Generated code calls
// it.
func HoldUntil(at, now time.Time) string {
	if at.After(now) {
		return HoldTime
	}
	return ""
}

// HoldChanged returns the hold that a patch of a row's time sets: the row waits for
// the new time, however near, until a worker looks for rows that are due. A hold
// that the patch sets itself is kept. Generated code calls it.
func HoldChanged(hold store.Opt[string], runAt store.Opt[time.Time]) store.Opt[string] {
	switch {
	case hold.IsSet() || !runAt.IsSet():
		return hold
	case runAt.IsNull():
		return store.Set("")
	}
	return store.Set(HoldTime)
}

// Rank returns the position of a row in a queue whose priorities age: the time of
// enqueueing in microseconds, less the wait that the priority is worth. Generated
// code calls it.
func Rank(now time.Time, priority int64, step time.Duration) int64 {
	const far = protocol.MostWaiting
	worth, most := int64(0), far/step.Microseconds()
	switch {
	case priority > most:
		worth = far
	case priority < -most:
		worth = -far
	default:
		worth = priority * step.Microseconds()
	}
	return now.UnixMicro() - worth
}

// Key returns the key of a limit, or of a unique job, from a scope and values. A key
// that is too long for its column ends in a hash. Generated code calls it.
func Key(scope string, values ...any) string {
	key := scope
	for i, v := range values {
		sep := ","
		if i == 0 {
			sep = ":"
		}
		key += sep + keyPart(v)
	}
	return short(key, maxKey)
}

const maxKey = 255

// InPayload returns err with the index of the payload that it is about. Generated
// code calls it.
func InPayload(i int, err error) error { return fmt.Errorf("payload %d: %w", i, err) }
