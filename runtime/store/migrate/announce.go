package migrate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Each program that has a database open is a row in the ledger, with a lease: a migration after which
// older programs could not go on waits for them.
const (
	programPrefix       = "program "
	open          State = "open"
	leaseTime           = time.Minute
	renewEach           = 20 * time.Second
	oldLease            = time.Hour // rows whose lease ended so long ago are removed
)

// announced is the key of a DB's note that it has a row.
type announced struct{}

// Announce adds a row for this program, once for each DB, and renews its lease until the database is
// closed. Where the database cannot be written there is no row, and Announce logs a warning; where another process
// holds SQLite's lock for longer than the busy timeout, as a migration does, the row is added later.
func (s *Set) Announce(ctx context.Context, db *core.DB) error {
	b, _ := core.Below(db)
	first := db.Shared(announced{}, func() any { return new(atomic.Bool) }).(*atomic.Bool).CompareAndSwap(false, true)
	if !first || strings.HasSuffix(b.Name(), ":memory:") {
		return nil // no other program can open an in-memory database
	}
	id := programPrefix + rand.Text()
	err := s.announce(ctx, db, id)
	if later := b.Dialect() == sqltext.SQLite && errors.Is(err, store.ErrBusy); later {
		db.Logger().InfoContext(ctx, "store: another process writes; this program is announced when its lease would be renewed", "error", err)
	} else if err != nil {
		db.Logger().WarnContext(ctx, "store: this program could not be announced, so that a migration that waits for it would not", "error", err)
		return nil
	}
	// A migration that was applied after the ledger was read, and before the row was added, did not wait for this program.
	rows, err := readLedger(ctx, b, b.Dialect())
	if err != nil {
		err = fmt.Errorf("store: reading %s: %w", Ledger, err)
	} else {
		err = newer(b, s.unknown(&state{rows: rows}))
	}
	if err != nil { // this program cannot use the database, so that no migration must wait for it
		return errors.Join(err, deleteRow(ctx, db.Conn(), db.Conn().Dialect(), id))
	}
	begun := make(chan struct{})
	go s.renew(db, id, begun)
	<-begun // so that a Close that follows at once removes the row
	return nil
}

func (s *Set) announce(ctx context.Context, db *core.DB, id string) error {
	now, err := moment(ctx, db)
	if err != nil {
		return err
	}
	return s.addProgram(ctx, db, id, now)
}

func (s *Set) addProgram(ctx context.Context, db *core.DB, id string, now time.Time) error {
	r := row{
		ID: id, Parent: s.head(), State: open, StartedAt: now, EndedAt: store.Null[time.Time]{V: now.Add(leaseTime), Valid: true},
		Program: short(programName()), Adds: true,
	}
	return r.insert(ctx, db.Conn(), db.Conn().Dialect())
}

// renew renews the lease, and removes the row when the database is closed.
func (s *Set) renew(db *core.DB, id string, begun chan struct{}) {
	err := db.UntilClose(context.Background(), func(ctx context.Context) error {
		close(begun)
		for renewed := false; ; renewed = true {
			if err := pause(ctx, renewEach); err != nil {
				return deleteRow(context.WithoutCancel(ctx), db.Conn(), db.Conn().Dialect(), id)
			}
			err := s.extend(ctx, db, id)
			if !renewed {
				err = errors.Join(err, prune(ctx, db))
			}
			if err != nil && ctx.Err() == nil {
				db.Logger().WarnContext(ctx, "store: the lease of this program could not be renewed", "error", err)
			}
		}
	})
	select {
	case <-begun:
	default:
		close(begun) // the database was closed before
	}
	if err != nil && !errors.Is(err, store.ErrClosed) {
		db.Logger().Warn("store: the row of this program stays until its lease ends", "error", err)
	}
}

// moment is the clock's reading for a DB.
func moment(ctx context.Context, db *core.DB) (time.Time, error) {
	b, _ := core.Below(db)
	return clock(ctx, b, b)
}

// clock reads the clock of leases: the server's, and on SQLite the machine's, whatever Options.Now is.
func clock(ctx context.Context, b core.Backend, from core.Session) (time.Time, error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if b.Clock() == "" {
		return now, nil
	}
	err := from.QueryRow(ctx, b.Clock(), nil, []any{&now})
	return now, err
}

// extend renews the lease, and adds the row again where it was pruned while the program was suspended.
func (s *Set) extend(ctx context.Context, db *core.DB, id string) error {
	now, err := moment(ctx, db)
	if err != nil {
		return err
	}
	err = set{[]string{"ended_at"}, []any{now.Add(leaseTime)}}.update(ctx, db.Conn(), db.Conn().Dialect(), id)
	if errors.Is(err, errGone) {
		return s.addProgram(ctx, db, id, now)
	}
	return err
}

// prune removes the rows of killed programs, which could not remove them.
func prune(ctx context.Context, db *core.DB) error {
	now, err := moment(ctx, db)
	if err != nil {
		return err
	}
	d := db.Conn().Dialect()
	text := fmt.Sprintf("DELETE FROM %s WHERE state = %s AND ended_at < %s", Ledger, d.Placeholder(1), d.Placeholder(2))
	_, err = db.Conn().Exec(ctx, text, []any{string(open), now.Add(-oldLease)})
	return err
}

// older returns the open programs that are from before a migration, each with the end of its lease; none where
// migration is empty.
func (s *Set) older(ctx context.Context, b core.Backend, from core.Session, migration string) ([]string, error) {
	if migration == "" {
		return nil, nil
	}
	rows, err := readPrograms(ctx, from, b.Dialect())
	if err != nil {
		return nil, err
	}
	now, err := clock(ctx, b, from)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		// Those that know a migration which this one does not are newer.
		if at := s.find(r.Parent); r.EndedAt.V.After(now) && at >= 0 && at < s.find(migration) {
			out = append(out, fmt.Sprintf("%s, at %s, announced until %s", r.Program, r.Parent, r.EndedAt.V.UTC().Format(time.RFC3339)))
		}
	}
	return out, nil
}

// closing is the rows_total of a migration that is about to begin, and that keeps programs of the version before
// from opening the database.
const closing = -1

// closed keeps older programs from opening the database, and then looks again for open ones: a program adds its
// row and then reads this one, so that at least one of the two sees the other's.
func (s *Set) closed(ctx context.Context, r *run, found row) ([]string, error) {
	if r.sc.After == "" || found.Statement > 0 || found.Begun {
		return nil, nil
	}
	if err := r.setTotal(ctx, closing); err != nil {
		return nil, err
	}
	waits, err := s.older(ctx, r.b, r.m, r.sc.After)
	if err != nil || len(waits) == 0 {
		return nil, err
	}
	return waits, r.reopen(ctx)
}

// reopen lets older programs open the database again, also where a process was killed after closed.
func (r *run) reopen(ctx context.Context) error {
	found, err := readRow(ctx, r.m, r.d, r.sc.Name, false)
	if errors.Is(err, store.ErrNotFound) || err == nil && found.RowsTotal != closing {
		return nil
	}
	if err != nil {
		return err
	}
	return r.setTotal(ctx, 0)
}

func (r *run) setTotal(ctx context.Context, n int64) error {
	return r.patiently(ctx, nil, "recording "+r.sc.Name, func() error {
		return set{[]string{"rows_total"}, []any{n}}.update(ctx, r.m, r.d, r.sc.Name)
	})
}
