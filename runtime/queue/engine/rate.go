package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// A rate limits the starts of handlers, but a start is counted when its row is
// claimed. Between the two lie a commit, a wait in the local queue, and the
// scheduler. So a claim counts a start at the latest time at which the handler may
// begin, some milliseconds ahead, and the worker keeps to that by its monotonic
// clock. If that time passes before the handler begins, the start is counted again
// with the key locked.

// errNoRoom is returned for a late start when others have used the rate meanwhile.
var errNoRoom = errors.New("queue: the rate leaves no room")

// start is when a claimed row may begin.
type start struct {
	slice int64     // of the window, under which it is counted
	asked time.Time // before the statement that read the time from which the rest is computed
	by    time.Time // the latest time, by this process's clock or a test's
}

// late reports whether the time to begin has passed.
func (l *limiter) late(s start) bool {
	now := time.Now()
	if l.db.FakeClock() {
		now = l.db.Clock()
	}
	return now.After(s.by)
}

// nextStart reads the database's clock, and returns until when a handler that is
// counted now may begin. The caller has locked the key.
func (l *limiter) nextStart(ctx context.Context, c *core.Conn, r Rate) (now time.Time, s start, err error) {
	s.asked = time.Now()
	now, err = c.Now(ctx)
	if err != nil || r.Max == 0 {
		return now, s, err
	}
	patience := l.patience(r)
	s.by = s.asked.Add(patience)
	if l.db.FakeClock() {
		s.by = now.Add(patience)
	}
	s.slice = sliceOf(now.Add(patience), r)
	return now, s, nil
}

// patience returns how long after its count a handler may begin. A start that is
// counted ahead is also forgotten later, which lowers the throughput. So patience is
// short compared to the rate's span, unless the database takes longer to commit.
func (l *limiter) patience(r Rate) time.Duration {
	const usual = 250 * time.Millisecond
	least := min(r.Every/slicesOfRate, usual)
	return min(max(2*time.Duration(l.commits.Load()), least), mostPatience(r))
}

func mostPatience(r Rate) time.Duration { return max(r.Every, 30*time.Second) }

// counted records how long a count took to commit. The maximum decays.
func (l *limiter) counted(asked time.Time) {
	took, known := time.Since(asked), time.Duration(l.commits.Load())
	l.commits.Store(int64(max(took, known-known/8)))
}

// mayStart reports whether a handler may begin now, and returns the time. A late
// start under a rate is counted again; if that does not succeed in time, the handler
// may not begin.
func (l *limiter) mayStart(ctx context.Context, c *claim) (at time.Time, ok bool) {
	for range 3 {
		at = time.Now()
		if c.start == nil || !l.late(*c.start) {
			return at, true
		}
		if err := l.recount(ctx, c); err != nil {
			l.observer.log(c).Warn("start not counted under its rate: given back", "error", err)
			return at, false
		}
	}
	return at, false
}

// recount moves the start of a claim under a rate to now.
func (l *limiter) recount(ctx context.Context, c *claim) error {
	rate := l.shape.policies[c.Kind].Rate
	var s start
	err := l.db.Tx(ctx, func(conn *core.Conn) error {
		window, err := l.lockKey(ctx, conn, c.Limit)
		if err != nil {
			return err
		}
		var now time.Time
		if now, s, err = l.nextStart(ctx, conn, rate); err != nil {
			return err
		}
		window.remove(c.start.slice) // so that the rate has room, unless others have used it
		window.forget(now, rate)
		if room(Policy{Rate: rate}, 0, window) < 1 {
			return errNoRoom
		}
		window.add(s.slice, 1)
		return l.writeWindow(ctx, conn, c.Limit, window, now)
	})
	if err != nil {
		return err
	}
	l.counted(s.asked)
	c.start = &s
	return nil
}

// window counts starts in slices of a rate's span. It looks back one slice more than
// the span, so that never more than the rate's Max start in any span of Every.
type window []slice

type slice struct{ at, n int64 } // slices since 1970, and starts in it

// slicesOfRate is the number of slices in the span of a rate.
const slicesOfRate = 32

// width returns the length of a slice in microseconds, rounded up, so that all slices
// together are no shorter than the span.
func width(r Rate) int64 { return max((r.Every.Microseconds()+slicesOfRate-1)/slicesOfRate, 1) }

func sliceOf(at time.Time, r Rate) int64 { return at.UnixMicro() / width(r) }

// forget drops starts that are further back than the rate looks, and starts that are
// further ahead than any is counted, since the clock was set back.
func (w *window) forget(now time.Time, r Rate) {
	if r.Max == 0 {
		*w = nil
		return
	}
	at, ahead := sliceOf(now, r), sliceOf(now.Add(mostPatience(r)), r)
	*w = slices.DeleteFunc(*w, func(s slice) bool { return s.at < at-slicesOfRate || s.at > ahead })
}

func (w *window) add(at int64, n int) {
	if n == 0 {
		return
	}
	for i := range *w {
		if (*w)[i].at == at {
			(*w)[i].n += int64(n)
			return
		}
	}
	*w = append(*w, slice{at, int64(n)})
	w.bound()
}

// maxSlices is how many slices fit into the column of a window.
const maxSlices = 64

// bound merges slices, each into a later one: to forget a start later is safe.
func (w *window) bound() {
	if len(*w) <= maxSlices {
		return
	}
	slices.SortFunc(*w, func(a, b slice) int { return cmp.Compare(a.at, b.at) })
	var joined window
	for i, s := range *w {
		if i%2 == 1 {
			s.n += (*w)[i-1].n
		}
		if i%2 == 1 || i == len(*w)-1 {
			joined = append(joined, s)
		}
	}
	*w = joined
}

// remove removes one start from a slice, if there is one.
func (w *window) remove(at int64) {
	for i := range *w {
		if (*w)[i].at == at {
			if (*w)[i].n--; (*w)[i].n == 0 {
				*w = slices.Delete(*w, i, i+1)
			}
			return
		}
	}
}

func (w window) sum() int {
	n := int64(0)
	for _, s := range w {
		n += s.n
	}
	return int(n)
}

// String returns the window as its column holds it: "57612345:3 57612347:10".
func (w window) String() string {
	parts := make([]string, len(w))
	for i, s := range w {
		parts[i] = strconv.FormatInt(s.at, 10) + ":" + strconv.FormatInt(s.n, 10)
	}
	return strings.Join(parts, " ")
}

func parseWindow(text string) window {
	var w window
	for _, part := range strings.Fields(text) {
		at, n, _ := strings.Cut(part, ":")
		a, err1 := strconv.ParseInt(at, 10, 64)
		b, err2 := strconv.ParseInt(n, 10, 64)
		if err1 == nil && err2 == nil {
			w = append(w, slice{a, b})
		}
	}
	return w
}
