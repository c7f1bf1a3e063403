package queue

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hegner123/modulagen/runtime/queue/protocol"

	"github.com/hegner123/modulagen/runtime/store"
)

// Policy is how jobs of one kind run. The zero value sets no limits.
type Policy struct {
	Timeout     time.Duration // of one run of the handler; 0: none
	Backoff     Backoff       // nil: Options.Backoff
	Rate        Rate          // starts, over all processes
	Concurrency int           // runs at once, over all processes; 0: no limit
}

// Rate allows Max starts in any span of Every; none with Max 0.
type Rate struct {
	Max   int
	Every time.Duration
}

// Backoff returns how long a job waits after its n-th attempt (n from 1) failed with
// err.
type Backoff func(n int, err error) time.Duration

// Exponential waits 15 s, 30 s, 1 min, 2 min and so on, at most 6 h, with a random
// jitter of a quarter either way, so that jobs that failed together are not retried
// together. It is the default.
func Exponential(n int, _ error) time.Duration {
	const first, most = 15 * time.Second, 6 * time.Hour
	d := most
	if n < 12 {
		d = min(first<<(max(n, 1)-1), most)
	}
	return d*3/4 + rand.N(d/2)
}

// SquaredMinutes waits n*n minutes after the n-th attempt, at most a day.
func SquaredMinutes(n int, _ error) time.Duration {
	const day = 24 * 60
	if n > 38 { // 38*38 minutes is a day and four minutes
		n = 38
	}
	return time.Duration(min(n*n, day)) * time.Minute
}

// Delays returns a Backoff that waits for the n-th delay of the list after the n-th
// attempt, and for the last one after all further attempts. An empty list means no
// wait.
func Delays(list ...time.Duration) Backoff {
	return func(n int, _ error) time.Duration {
		if len(list) == 0 {
			return 0
		}
		return list[min(max(n, 1), len(list))-1]
	}
}

// maxDelay is the longest delay that a backoff or a handler can ask for.
const maxDelay = 10 * 365 * 24 * time.Hour

// delay calls a backoff, recovers if it panics, and bounds what it returns.
func delay(b Backoff, n int, err error) (d time.Duration) {
	defer func() {
		if recover() != nil {
			d = Exponential(n, err)
		}
		d = min(max(d, 0), maxDelay)
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
