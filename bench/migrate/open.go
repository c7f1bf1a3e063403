package migrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
	evolution "github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

const (
	openRatio  = 1.2 // Open with migrations, against Open without
	openRounds = 15
)

// open measures Open of a current database with 200 tables, as generated code has it, against
// Open of the same tables in a project without migrations.
func open(ctx context.Context, report *measure.Report) error {
	p, err := read(many(""))
	if err != nil {
		return err
	}
	chain := &evolution.Chain{}
	if chain.Migrations, err = chain.Next("init", p); err != nil {
		return err
	}
	set, with := chain.Set(), evolution.Schema(p.Datatypes)
	without := evolution.Schema(p.Datatypes)
	with.Ensure = set.Ensure
	return onEach(ctx, report, func(db model.Database, dsn string) error {
		sample := func(schema *core.Schema, opened func(*core.DB) error) measure.Sample {
			return func() (float64, error) {
				start := time.Now()
				s, err := core.Open(ctx, dsn, schema, store.Options{})
				if err != nil {
					return 0, err
				}
				err = opened(s)
				took := time.Since(start).Seconds()
				return took, errors.Join(err, s.Close())
			}
		}
		ours := sample(with, func(s *core.DB) error { return set.Announce(ctx, s) })
		before := sample(without, func(*core.DB) error { return nil })
		if _, err := ours(); err != nil { // the database is made
			return err
		}
		a, b, err := measure.Alternate(measure.Rounds{Ours: openRounds, Peer: openRounds}, ours, before)
		if err != nil {
			return err
		}
		report.Add(measure.Compare(suite, fmt.Sprintf("open %d tables", datatypes), string(db), "s", "without migrations", a, b, measure.Target(1/openRatio)))
		return nil
	})
}
