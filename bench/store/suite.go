package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/bench/measure"
)

const (
	suite  = "store"
	rounds = 9
)

// The names of the peers, as rows print them.
const (
	handName = "by hand"
	entName  = "ent 0.14.5"
	gormName = "gorm"
)

// Run measures every operation on every database that there is. Without a DSN
// for PostgreSQL or MySQL it says so and leaves that database out.
func Run(ctx context.Context, _ string, report *measure.Report) error {
	report.Note("store: %d rows a side, one goroutine, medians of %d rounds in turns", seeded, rounds)
	for _, db := range databases {
		if err := runDatabase(ctx, db, report); err != nil {
			return fmt.Errorf("%s: %w", db.name, err)
		}
	}
	return nil
}

func runDatabase(ctx context.Context, db database, report *measure.Report) (err error) {
	host, err := db.host(ctx)
	if errors.Is(err, errNoServer) {
		report.Note("store: %s left out: %v", db.name, err)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.close(ctx)) }()
	report.Note("store: %s: %s", db.name, host.durability)

	var sides []side
	for i, open := range db.sides {
		s, err := openFilled(ctx, host, i, open)
		if err != nil {
			return err
		}
		defer s.Close()
		sides = append(sides, s)
	}
	for _, op := range operations {
		if err := runOperation(ctx, db, sides, op, report); err != nil {
			return err
		}
	}
	return nil
}

func openFilled(ctx context.Context, host *host, number int, open opener) (side, error) {
	at, err := host.place(ctx, number)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(fill(ctx, s), prove(ctx, s)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// runOperation measures all sides in turns; the first is ours.
func runOperation(ctx context.Context, db database, sides []side, op operation, report *measure.Report) error {
	var samples []measure.Sample
	for _, s := range sides {
		sample := timing(ctx, s, op)
		if _, err := sample(); err != nil { // statements are prepared and pages cached before the clock runs
			return err
		}
		samples = append(samples, sample)
	}
	medians, err := measure.Rotate(rounds, samples...)
	if err != nil {
		return err
	}
	for i, s := range sides[1:] {
		report.Add(measure.Compare(suite, op.name, db.name, "µs", s.Name(), medians[0], medians[i+1], db.target(s.Name())))
	}
	return nil
}
