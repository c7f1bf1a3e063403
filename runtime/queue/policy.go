package queue

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// Policy is how jobs of one kind are run. The zero value sets no limits.
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

// Backoff says how long a job waits after its n-th attempt (n from 1) failed
// with err.
type Backoff func(n int, err error) time.Duration

// Exponential waits 15 s, 30 s, 1 min, 2 min and so on, at most 6 h, each time a
// quarter more or less by chance, so that jobs that failed together are not
// tried together. It is the default.
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

// Delays waits as long as the list says, by attempt; the last entry repeats. An
// empty list does not wait.
func Delays(list ...time.Duration) Backoff {
	return func(n int, _ error) time.Duration {
		if len(list) == 0 {
			return 0
		}
		return list[min(max(n, 1), len(list))-1]
	}
}

// maxDelay bounds what a backoff or a handler may ask for.
const maxDelay = 10 * 365 * 24 * time.Hour

// delay asks a backoff, and survives one that panics or gives nonsense.
func delay(b Backoff, n int, err error) (d time.Duration) {
	defer func() {
		if recover() != nil {
			d = Exponential(n, err)
		}
		d = min(max(d, 0), maxDelay)
	}()
	return b(n, err)
}

// Holds of a ready row that is not to be claimed.
const (
	HoldTime  = "time"  // it is not due
	holdLimit = "limit" // its gate is closed
	holdKind  = "kind"  // its kind is of another program
)

// HoldUntil is the hold of a row that runs at some time. Generated code calls it.
func HoldUntil(at, now time.Time) string {
	if at.After(now) {
		return HoldTime
	}
	return ""
}

// HoldChanged is the hold that a patch gives a row with another time: it waits
// for that, however near, and whoever looks for rows that are due lets it go. A
// hold that the patch gives itself stays. Generated code calls it.
func HoldChanged(hold store.Opt[string], runAt store.Opt[time.Time]) store.Opt[string] {
	switch {
	case hold.IsSet() || !runAt.IsSet():
		return hold
	case runAt.IsNull():
		return store.Set("")
	}
	return store.Set(HoldTime)
}

// Rank is the place of a row in a queue whose priorities age: the moment of
// enqueueing in microseconds, less the waiting that the priority is worth.
// Generated code calls it.
func Rank(now time.Time, priority int64, step time.Duration) int64 {
	const far = 1 << 61 // far beyond any time, and any two of them can be added
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

// Key joins what a limit or uniqueness goes by: a scope and values. Generated
// code calls it. One that is longer than its column holds ends in a hash.
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

// InPayload says which of many payloads is wrong.
func InPayload(i int, err error) error { return fmt.Errorf("payload %d: %w", i, err) }
