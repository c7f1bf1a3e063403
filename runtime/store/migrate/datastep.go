package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// DataStep changes rows in batches, in ways that SQL cannot express.
type DataStep struct {
	// Count returns how many rows the step will change, for its progress; nil: that is not known.
	Count func(ctx context.Context, c *core.Conn) (int64, error)
	// Batch changes the rows that follow a cursor, in a transaction; the first call has an empty cursor. It
	// returns the cursor of the next batch, which is recorded in the same transaction, and how many rows it
	// changed; an empty cursor ends the step. After a conflict with another transaction it is called again. An
	// error ends the migration, which resumes with the same cursor.
	Batch func(ctx context.Context, tx *core.Conn, cursor string) (next string, rows int, err error)
}

var registered = struct {
	sync.Mutex
	steps map[string]*DataStep
}{steps: map[string]*DataStep{}}

// Register makes a data step known under the name that the definition and the migration have. Call it before
// a database is opened that needs the step. A later registration of a name replaces the earlier one.
func Register(name string, step DataStep) {
	registered.Lock()
	defer registered.Unlock()
	registered.steps[name] = &step
}

func lookUp(name string) *DataStep {
	registered.Lock()
	defer registered.Unlock()
	if s := registered.steps[name]; s != nil && s.Batch != nil {
		return s
	}
	return nil
}

// registeredNames lists the steps that the program has, for one that it lacks: the name may be spelt wrong.
func registeredNames() string {
	registered.Lock()
	defer registered.Unlock()
	var names []string
	for name, s := range registered.steps {
		if s.Batch != nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return " (it has " + strings.Join(names, ", ") + ")"
}

// dataReport is how often the progress of a data step is logged.
const dataReport = 5 * time.Second

// dataStep runs a data step from the recorded cursor to its end.
func (r *run) dataStep(ctx context.Context, from int, at row) error {
	u := &r.units[from]
	if u.first {
		r.start(ctx, u)
	}
	if u.first && at.Cursor == "" {
		if err := r.refuse(ctx, r.b, u.step); err != nil {
			return r.failed(u, err)
		}
	}
	step := lookUp(u.step.Run) // runnable has checked that it is registered
	db := core.Attach(r.b, r.o.Store)
	if err := r.total(ctx, db, step); err != nil {
		return r.failed(u, err)
	}
	p := newRate()
	for {
		ended, err := r.batch(ctx, db, step, from, p)
		if err != nil {
			return r.failed(u, err)
		}
		p.log(ctx, r, u)
		if ended {
			break
		}
		if err := db.Conn().Yield(ctx); err != nil {
			return r.failed(u, err)
		}
	}
	r.changed = p.done
	r.stop(ctx, u)
	return nil
}

// total records how many rows the step has, once.
func (r *run) total(ctx context.Context, db *core.DB, step *DataStep) error {
	at, err := readRow(ctx, db.Conn(), r.d, r.sc.Name, false)
	if err != nil || at.RowsTotal > 0 || step.Count == nil {
		return err
	}
	n, err := step.Count(ctx, db.Conn())
	if err != nil {
		return fmt.Errorf("counting the rows of the data step: %w", err)
	}
	return r.setTotal(ctx, n)
}

// batch runs one batch, and records where the next one begins.
func (r *run) batch(ctx context.Context, db *core.DB, step *DataStep, from int, p *rate) (ended bool, err error) {
	err = db.Tx(ctx, func(tx *core.Conn) error {
		at, err := r.still(ctx, tx, from)
		if err != nil {
			return err
		}
		next, rows, err := step.Batch(ctx, tx, at.Cursor)
		if err != nil {
			return err
		}
		if next != "" && next == at.Cursor {
			return fmt.Errorf("the data step returned the cursor %q that it was given, and would never end", next)
		}
		p.done, p.total = at.RowsDone+int64(rows), at.RowsTotal
		if ended = next == ""; ended {
			return r.advance(ctx, tx, from+1)
		}
		return r.leased(set{[]string{"cursor", "rows_done"}, []any{next, p.done}}).update(ctx, tx, r.d, r.sc.Name)
	})
	return ended, err
}

// rate measures the progress of a data step.
type rate struct {
	done, total int64
	begun       time.Time
	first       int64 // rows that were done before; -1: not known yet
	logged      time.Time
}

func newRate() *rate { return &rate{begun: time.Now(), first: -1, logged: time.Now()} }

func (p *rate) log(ctx context.Context, r *run, u *unit) {
	if p.first < 0 {
		p.first = p.done
		p.begun = time.Now()
	}
	if time.Since(p.logged) < dataReport {
		return
	}
	p.logged = time.Now()
	args := []any{"migration", r.sc.Name, "step", u.number, "done", progress(p.done, p.total)}
	if perSecond := float64(p.done-p.first) / time.Since(p.begun).Seconds(); perSecond > 0 {
		args = append(args, "rows_per_second", int64(perSecond))
		if p.total > p.done {
			args = append(args, "left", (time.Duration(float64(p.total-p.done)/perSecond*1e9) * time.Nanosecond).Round(time.Second))
		}
	}
	r.o.Logger.InfoContext(ctx, "store: migration: a data step goes on", args...)
}
