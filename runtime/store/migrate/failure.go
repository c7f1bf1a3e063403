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
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// failureColumn says why a migration failed. Older ledgers get the column with the first failure.
const failureColumn = "failure"

// keepsFailures reports whether the ledger has the column.
func keepsFailures(ledger core.TableDef) bool {
	return slices.ContainsFunc(ledger.Columns, func(c core.Column) bool { return c.Name == failureColumn })
}

// readFailures fills in why migrations failed.
func readFailures(ctx context.Context, s core.Session, d sqltext.Dialect, rows []row) error {
	if !slices.ContainsFunc(rows, func(r row) bool { return !r.State.applied() }) {
		return nil
	}
	var id, failure string
	text := fmt.Sprintf("SELECT id, %s FROM %s WHERE %[1]s IS NOT NULL", failureColumn, Ledger)
	return s.Query(ctx, text, nil, []any{&id, &failure}, func() error {
		for i := range rows {
			if rows[i].ID == id {
				rows[i].Failure = failure
			}
		}
		return nil
	})
}

// ending records why the run failed, and returns err. The end of ctx is no failure.
func (r *run) ending(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	late, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Not over the connection of the migration, whose loss may be the failure.
	if failed := r.recordFailure(late, store.Some(short(whyFailed(err)))); failed != nil {
		r.o.Logger.WarnContext(ctx, "store: migration: why it failed could not be recorded", "migration", r.sc.Name, "error", failed)
	}
	return err
}

// forgetFailure records that another attempt begins. On SQLite a process that is further ahead may hold the lock meanwhile.
func (r *run) forgetFailure(ctx context.Context) error {
	return r.patiently(ctx, nil, "beginning "+r.sc.Name, func() error { return r.recordFailure(ctx, store.Null[string]{}) })
}

// recordFailure writes why the migration failed; NULL: another attempt begins.
func (r *run) recordFailure(ctx context.Context, why store.Null[string]) error {
	found, err := r.b.Inspect(ctx, r.b, []string{Ledger})
	if err != nil {
		return err
	}
	if len(found) == 1 && !keepsFailures(found[0]) {
		if !why.Valid {
			return nil
		}
		if _, err := r.b.Exec(ctx, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s text NULL", Ledger, failureColumn), nil); err != nil {
			return err
		}
	}
	changes := []string{failureColumn + " = " + r.d.Placeholder(1)}
	var text any // nil: NULL
	if why.Valid {
		text = why.V
		if r.d == sqltext.SQLite && r.state == Running { // the lease ends with the process
			changes = append(changes, "ended_at = NULL")
		}
	}
	// On SQLite another process may have finished it meanwhile, and recorded that.
	_, err = r.b.Exec(ctx, fmt.Sprintf("UPDATE %s SET %s WHERE id = %s AND state = %s", Ledger, strings.Join(changes, ", "), r.d.Placeholder(2), r.d.Placeholder(3)),
		[]any{text, r.sc.Name, string(r.state)})
	return err
}

// whyFailed is the error's text without the names of database and migration, which are shown beside it.
func whyFailed(err error) string {
	e, ok := errors.AsType[*store.MigrationError](err)
	if !ok {
		return err.Error()
	}
	text := ""
	if e.Step > 0 {
		text = fmt.Sprintf("step %d (%s), ", e.Step, e.What)
	}
	if e.File != "" && e.Line > 0 {
		text += fmt.Sprintf("%s:%d, ", e.File, e.Line)
	}
	if text == "" {
		return e.Cause.Error()
	}
	return text[:len(text)-2] + ": " + e.Cause.Error()
}

// leased adds to a change of the row, on SQLite, until when a process counts as being at work: between batches
// it holds no lock that others could see.
func (r *run) leased(c set) set {
	if r.d == sqltext.SQLite {
		c.columns = append(c.columns, "ended_at")
		c.values = append(c.values, time.Now().UTC().Truncate(time.Microsecond).Add(leaseTime))
	}
	return c
}
