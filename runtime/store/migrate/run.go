package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// run is one script at work on one database.
type run struct {
	b       core.Backend
	m       core.Migration
	d       sqltext.Dialect
	sc      *script.Script
	o       Options
	units   []unit
	started time.Time // of the step that runs
	changed int64     // rows that statements of the step have changed
	backups []string
	state   State // of the record while this run goes on: Running, or Down

	// finish records that all units have taken effect, with the last of them where that is possible.
	finish   func(context.Context, core.Session) error
	finished bool // this run has recorded that
}

// unit is what the ledger counts: a statement, a data step in Go, or a step that has neither.
type unit struct {
	step        *script.Step
	number      int               // of the step, from 1
	st          *script.Statement // nil: none
	data        bool              // the step's data step
	first, last bool              // of its step
}

// lastStatement reports whether the unit is the last statement of its step, after which a data step
// may follow.
func (u *unit) lastStatement() bool {
	n := len(u.step.Statements)
	return n > 0 && u.st == &u.step.Statements[n-1]
}

func newRun(b core.Backend, m core.Migration, sc *script.Script, o Options) *run {
	r := &run{b: b, m: m, d: b.Dialect(), sc: sc, o: o}
	for i := range sc.Steps {
		step := &sc.Steps[i]
		begin := len(r.units)
		for j := range step.Statements {
			r.units = append(r.units, unit{step: step, number: i + 1, st: &step.Statements[j]})
		}
		if step.Run != "" || len(step.Statements) == 0 {
			r.units = append(r.units, unit{step: step, number: i + 1, data: step.Run != ""})
		}
		r.units[begin].first = true
		r.units[len(r.units)-1].last = true
	}
	return r
}

// errMoved is returned when another process has advanced the migration meanwhile.
var errMoved = errors.New("store: another process has gone on with the migration")

// all resumes at what is recorded, and runs until nothing is left.
func (r *run) all(ctx context.Context) error {
	for {
		at, err := readRow(ctx, r.m, r.d, r.sc.Name, false)
		switch {
		case r.ended(at, err):
			return nil // another process has finished it
		case err != nil:
			return r.failed(nil, err)
		case at.Statement >= int64(len(r.units)):
			err = r.patiently(ctx, nil, "recording the end of "+r.sc.Name, func() error { return r.end(ctx, r.m) })
		default:
			err = r.next(ctx, at)
		}
		r.finished = r.finished && err == nil // otherwise it was undone
		if err != nil && !errors.Is(err, errMoved) {
			return err
		}
	}
}

// end records the end.
func (r *run) end(ctx context.Context, s core.Session) error {
	err := r.finish(ctx, s)
	r.finished = err == nil
	return err
}

// ended reports, from the record as it was read, whether this run is over: another process has finished the
// migration, and has perhaps begun to undo it, or the other way round.
func (r *run) ended(at row, err error) bool {
	return errors.Is(err, store.ErrNotFound) || err == nil && at.State != r.state
}

// next runs the next unit, and those that take effect together with it.
func (r *run) next(ctx context.Context, at row) error {
	u := &r.units[at.Statement]
	from := int(at.Statement)
	switch {
	case u.data:
		return r.dataStep(ctx, from, at)
	case u.step.Batches != "":
		return r.batches(ctx, from, at)
	case r.d == sqltext.MySQL && u.step.Locked != "":
		return r.locked(ctx, from, at)
	case together(r.d, u.step):
		return r.together(ctx, from, r.endOf(from))
	}
	return r.single(ctx, from, at)
}

// together reports whether the statements of a step run in a transaction.
func together(d sqltext.Dialect, step *script.Step) bool {
	return step.Batches == "" && (d == sqltext.SQLite || d == sqltext.Postgres && !step.Alone)
}

// endOf returns the unit that follows those that take effect together with the one at from.
func (r *run) endOf(from int) int {
	to := from
	for to < len(r.units) && !r.units[to].data && r.units[to].step.Batches == "" && (r.d == sqltext.SQLite || r.units[to].step == r.units[from].step) {
		to++
	}
	return to
}

// together runs units in one transaction, with the record of them.
func (r *run) together(ctx context.Context, from, to int) error {
	u := &r.units[from]
	return r.patiently(ctx, u, "locking what "+r.sc.Name+" changes", func() error {
		return r.inTransaction(ctx, from, to)
	})
}

func (r *run) inTransaction(ctx context.Context, from, to int) error {
	tx, err := r.m.Begin(ctx)
	if err != nil {
		return r.failed(&r.units[from], err)
	}
	g := guard{run: r, s: tx}
	defer g.end(ctx)
	defer r.rollback(ctx, tx)
	if _, err := r.still(ctx, tx, from); err != nil {
		return err
	}
	if err := g.keysBefore(ctx, from, to); err != nil {
		return r.failed(nil, err)
	}
	if err := r.backUp(ctx, from); err != nil {
		return r.failed(&r.units[from], err)
	}
	for i := from; i < to; i++ {
		u := &r.units[i]
		if err := g.unit(ctx, u); err != nil {
			return r.failed(u, err)
		}
	}
	if err := g.keysAfter(ctx, from, to); err != nil {
		return r.failed(&r.units[to-1], err)
	}
	if err := r.advance(ctx, tx, to); err != nil {
		return r.failed(&r.units[to-1], err)
	}
	if err := tx.Commit(ctx); err != nil {
		return r.failed(&r.units[to-1], err)
	}
	return nil
}

// rollback undoes what is still open; nothing after a commit.
func (r *run) rollback(ctx context.Context, tx core.Transaction) {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := tx.Rollback(late); err != nil {
		r.o.Logger.WarnContext(ctx, "store: rollback failed", "migration", r.sc.Name, "error", err)
	}
}

// still locks and returns the record, or errMoved where it is no longer at the unit from.
func (r *run) still(ctx context.Context, s core.Session, from int) (row, error) {
	at, err := readRow(ctx, s, r.d, r.sc.Name, true)
	if r.ended(at, err) || err == nil && at.Statement != int64(from) {
		return at, errMoved
	}
	if err != nil {
		return at, r.failed(&r.units[from], err)
	}
	return at, nil
}

// advance records that the units before to have taken effect.
func (r *run) advance(ctx context.Context, s core.Session, to int) error {
	if to == len(r.units) {
		return r.end(ctx, s)
	}
	c := set{
		[]string{"statement", "begun", "cursor", "rows_done", "rows_total"},
		[]any{int64(to), false, "", int64(0), int64(0)},
	}
	if r.state == Running { // of one that is taken back, down compares the whole script
		c.columns, c.values = append(c.columns, "checksum"), append(c.values, r.digest(int64(to)))
	}
	return c.update(ctx, s, r.d, r.sc.Name)
}

// digest is the checksum of the first n units: while a migration is incomplete, what follows them may
// be corrected in the file.
func (r *run) digest(n int64) string {
	var b strings.Builder
	for i := range r.units[:min(n, int64(len(r.units)))] {
		u := &r.units[i]
		switch {
		case u.st != nil:
			b.WriteString(u.st.SQL)
		case u.data:
			b.WriteString("run: " + u.step.Run)
		}
		b.WriteString(";\n")
	}
	return script.Checksum(b.String())
}

// failed wraps an error with the place where it happened, unless it has one already.
func (r *run) failed(u *unit, err error) error {
	if _, ok := errors.AsType[*store.MigrationError](err); ok {
		return err
	}
	e := &store.MigrationError{Database: r.b.Name(), Migration: r.sc.Name, File: file(r.sc.Name, r.d), Cause: err}
	if u != nil {
		e.Step, e.What, e.Line = u.number, u.step.What, u.step.Line
		if u.st != nil {
			e.Line = u.st.Line
		}
		if rows, ok := errors.AsType[*RowsError](err); ok {
			e.Line = rows.Line
		}
	}
	return e
}

// start logs the beginning of a step.
func (r *run) start(ctx context.Context, u *unit) {
	r.started, r.changed = time.Now(), 0
	r.o.Logger.InfoContext(ctx, "store: migration: a step begins", "migration", r.sc.Name, "step", u.number, "of", len(r.sc.Steps),
		"class", string(u.step.Class), "what", u.step.What)
}

// stop logs its end.
func (r *run) stop(ctx context.Context, u *unit) {
	r.o.Logger.InfoContext(ctx, "store: migration: a step has ended", "migration", r.sc.Name, "step", u.number,
		"class", string(u.step.Class), "rows", r.changed, "took", time.Since(r.started).Round(time.Millisecond))
}

// exec runs one statement.
func (r *run) exec(ctx context.Context, s core.Session, sql string) error {
	res, err := s.Exec(ctx, sql, nil)
	if slices.Contains(rowWords, firstWord(sql)) {
		r.changed += res.RowsAffected
	}
	return err
}

func firstWord(sql string) string {
	words := strings.Fields(sql)
	if len(words) == 0 {
		return ""
	}
	return strings.ToLower(words[0])
}

const (
	lockTries = 60
	lockFirst = 100 * time.Millisecond
	lockMost  = 5 * time.Second
)

// patiently repeats what failed because of a lock. On SQLite another process has locked the whole file, perhaps to
// migrate it, and is waited for as long as Options.Wait says; elsewhere a try is short.
func (r *run) patiently(ctx context.Context, u *unit, what string, try func() error) error {
	begun, wait := time.Now(), lockFirst
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil || !errors.Is(err, store.ErrBusy) {
			return err
		}
		over := attempt >= lockTries
		if r.d == sqltext.SQLite {
			over = time.Since(begun) > r.o.Wait
		}
		if over {
			return r.failed(u, fmt.Errorf("%s: others have held locks for %s: %w", what, time.Since(begun).Round(time.Second), err))
		}
		r.o.Logger.WarnContext(ctx, "store: migration: a lock was not to be had; trying again", "migration", r.sc.Name,
			"what", what, "attempt", attempt, "waited", time.Since(begun).Round(time.Millisecond), "error", err)
		if err := pause(ctx, wait); err != nil {
			return r.failed(u, err)
		}
		wait = min(wait*2, lockMost)
	}
}
