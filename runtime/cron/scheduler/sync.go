package scheduler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Declared is a job that modulagen.yaml declares.
type Declared struct {
	Name   string
	Values string // a JSON object of what is declared beside the name, by what the columns are for
}

// syncRounds is how often Sync compares anew when another process writes the same jobs.
const syncRounds = 5

// Sync keeps the jobs in step with what is declared, when a database is opened. It adds a job that
// is missing. In a row that exists it changes what still is as it was declared last, which the
// column declared has: what an operator changed stays. A job that is no longer declared is
// disabled, unless an operator changed it, and never deleted. Where nothing differs, it only reads.
//
// Each job is a transaction of its own. A row that cannot have what is declared now, for instance because
// SQL has written to it what no job can have, is logged, shows why, and otherwise stays as it is: it must
// not keep a program from starting. A declared job that cannot be added is an error.
//
// The declaration of the program that was started last holds: while a new version is rolled out,
// a process of the old one that starts again puts back what it declares, until the next start of
// the new one. Processes that run change nothing. Generated code calls it.
func Sync(ctx context.Context, db *core.DB, s *Spec, jobs []Declared) error {
	d, err := s.declarations(db, jobs)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		err := d.sync(ctx, db)
		if err == nil || n == syncRounds || !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// sync compares the jobs with what is declared, and writes what differs. The error is
// store.ErrConflict where another process added a job first.
func (d *declarations) sync(ctx context.Context, db *core.DB) error {
	ids, missing, err := d.differing(ctx, db.Conn())
	if err != nil {
		return fmt.Errorf("cron: the jobs of %s could not be compared with what is declared: %w", d.Jobs, err)
	}
	for _, id := range ids {
		if err := d.keep(ctx, db, id); err != nil {
			return err
		}
	}
	var conflict error
	for _, name := range missing {
		err := d.add(ctx, db, name)
		if err != nil {
			err = fmt.Errorf("cron: the declared job %s: %w", name, err)
		}
		switch {
		case errors.Is(err, store.ErrConflict):
			conflict = err // the next round finds the row
		case err != nil:
			return err
		}
	}
	return conflict
}

// differing returns the ids of jobs that are to be changed, and the names of those that are missing.
func (d *declarations) differing(ctx context.Context, c *core.Conn) (ids []any, missing []string, err error) {
	absent := maps.Clone(d.byName)
	where := store.Or(
		core.FieldOf[int64, string](d.Columns[declaredRole]).NotNull(),
		core.FieldOf[int64, string](d.Columns[nameRole]).In(slices.Sorted(maps.Keys(d.byName))...),
	)
	var failed error
	core.Bind(c, d.Rows).All(ctx, core.QueryOf(store.Query[int64]{Where: where}), func(row any, err error) bool {
		var set core.Assignments
		if failed = err; failed == nil {
			set, failed = d.changes(row)
		}
		if failed != nil {
			return false
		}
		delete(absent, d.name(row))
		if len(set) > 0 {
			ids = append(ids, plainOf(d.Rows.Fields(row, nil)[0]))
		}
		return true
	})
	return ids, slices.Sorted(maps.Keys(absent)), failed
}

// keep writes what differs in a job.
func (d *declarations) keep(ctx context.Context, db *core.DB, id any) error {
	name := fmt.Sprint("of row ", id)
	err := db.Tx(ctx, func(c *core.Conn) error {
		t, row := core.Bind(c, d.Rows), d.Rows.Row()
		if err := t.GetLocked(ctx, id, row); err != nil {
			return err
		}
		name = d.name(row)
		set, err := d.changes(row) // another process may have written them
		if err != nil || len(set) == 0 {
			return err
		}
		return t.Update(ctx, id, d.clearing(set, row), row)
	})
	if errors.Is(err, store.ErrInvalid) {
		db.Logger().WarnContext(ctx, "cron: a job cannot be brought in step with what is declared", "jobs", d.Jobs, "job", name, "error", err)
		if err = d.show(ctx, db, id, err); errors.Is(err, store.ErrInvalid) {
			return nil // nor can the row show it
		}
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) { // deleted meanwhile
		return fmt.Errorf("cron: the declared job %s: %w", name, err)
	}
	return nil
}

// notAsDeclared begins the error of a job that cannot have what is declared.
const notAsDeclared = "not as declared: "

// clearing adds to what is set that the job, which has what is declared then, shows no such error any more.
func (d *declarations) clearing(set core.Assignments, row any) core.Assignments {
	shown, _ := d.value(row, "error").(string)
	if !strings.HasPrefix(shown, notAsDeclared) {
		return set
	}
	return append(set, core.Assignment{Column: d.Columns["last_status"]}, core.Assignment{Column: d.Columns["error"]})
}

// show has a job show why it is not as it is declared, until its next run ends. Another process may
// have brought it in step meanwhile.
func (d *declarations) show(ctx context.Context, db *core.DB, id any, why error) error {
	set := core.Assignments{{Column: d.Columns["last_status"], Value: failed}}
	if column, ok := d.Columns["error"]; ok {
		set = append(set, core.Assignment{Column: column, Value: bounded(notAsDeclared + why.Error())})
	}
	return db.Tx(ctx, func(c *core.Conn) error {
		t, row := core.Bind(c, d.Rows), d.Rows.Row()
		if err := t.GetLocked(ctx, id, row); err != nil {
			return err
		}
		if differs, err := d.changes(row); err != nil || len(differs) == 0 {
			return err
		}
		return t.Update(d.own(ctx), id, set, row)
	})
}

// changes returns what is to be set in a job.
func (d *declarations) changes(row any) (core.Assignments, error) {
	last := d.last(row)
	now := d.byName[d.name(row)]
	switch {
	case now == nil && last == nil:
		return nil, nil
	case now == nil:
		return d.left(row, last)
	case last == nil: // an operator made it, who decides what it is
		return d.declare(nil, now)
	case same(map[string]any(last), map[string]any(now)):
		return nil, nil
	}
	var set core.Assignments
	for _, role := range roles(last, now) {
		was, wants := d.of(last, role), d.of(now, role)
		if same(was, wants) || !same(d.value(row, role), was) {
			continue
		}
		var err error
		if set, err = d.set(set, role, wants); err != nil {
			return nil, err
		}
	}
	return d.declare(set, now)
}

// left returns what is to be set in a job that is no longer declared: one that an operator has
// changed, disabled or enabled becomes theirs.
func (d *declarations) left(row any, last declaration) (core.Assignments, error) {
	for _, role := range roles(last, declaration{enabledRole: nil}) {
		if _, ok := d.Columns[role]; ok && !same(d.value(row, role), d.of(last, role)) {
			return core.Assignments{{Column: d.Columns[declaredRole]}}, nil
		}
	}
	if d.of(last, enabledRole) == false {
		return nil, nil
	}
	now := maps.Clone(last)
	now[enabledRole] = false
	set, err := d.set(nil, enabledRole, false)
	if err != nil {
		return nil, err
	}
	return d.declare(set, now)
}

// add adds a job.
func (d *declarations) add(ctx context.Context, db *core.DB, name string) error {
	now := d.byName[name]
	var set core.Assignments
	var err error
	for _, role := range roles(nil, now) {
		if set, err = d.set(set, role, now[role]); err != nil {
			return err
		}
	}
	if set, err = d.declare(set, now); err != nil {
		return err
	}
	return core.Bind(db.Conn(), d.Rows).Create(ctx, &core.Filled{New: d.Blank(), With: set}, d.Rows.Row())
}
