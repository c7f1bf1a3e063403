package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// Down undoes the last migration of a database with a script that the generator made, and then removes
// its row. After a kill, calling Down again resumes. Its error is store.ErrMigration.
func (s *Set) Down(ctx context.Context, b core.Backend, name string, sc *script.Script, o Options) (*Report, error) {
	o = o.filled()
	out := &Report{}
	back := *sc
	back.Name = name
	if err := runnable(&back, file(name, b.Dialect()), b.Dialect()); err != nil {
		return out, &store.MigrationError{Database: b.Name(), Migration: name, Cause: err}
	}
	err := withLock(ctx, b, o, func(m core.Migration) error {
		r := newRun(b, m, &back, o)
		err := r.down(ctx)
		out.Backups = r.backups
		return err
	})
	return out, err
}

func (r *run) down(ctx context.Context) error {
	name, sum := r.sc.Name, script.Checksum(r.sc.String())
	rows, err := readLedger(ctx, r.m, r.d)
	if err != nil {
		return r.failed(nil, err)
	}
	st := &state{rows: rows}
	at := st.row(name)
	if at == nil {
		return r.failed(nil, errors.New("the database does not have it"))
	}
	for _, other := range rows {
		if other.Parent == name {
			return r.failed(nil, fmt.Errorf("%s comes after it: take that back first", other.ID))
		}
	}
	switch {
	case at.State == Down && at.Checksum != sum:
		return r.failed(nil, errors.New("taking it back was begun with other steps: run the version of the program that began it, "+at.Program))
	case at.State == Running:
		return r.failed(nil, errors.New("it has not been applied as a whole: \"modulagen migrate up\" finishes it"))
	case at.State != Down:
		begin := set{
			[]string{"state", "statement", "begun", "checksum", "cursor", "program"},
			[]any{string(Down), int64(0), false, sum, "", short(r.o.Program)},
		}
		err := r.patiently(ctx, nil, "beginning to undo "+name, func() error { return begin.update(ctx, r.m, r.d, name) })
		if err != nil {
			return r.failed(nil, err)
		}
	}
	r.state = Down
	r.finish = func(ctx context.Context, s core.Session) error { return deleteRow(ctx, s, r.d, name) }
	return r.ending(ctx, r.all(ctx))
}
