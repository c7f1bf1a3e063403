package store

import (
	"context"
	"fmt"
)

// side is one way to store articles. Reading calls return what they read in the
// least form that proves that they read it; they fill their own row type first,
// as its users would have them.
type side interface {
	Name() string
	Get(ctx context.Context, id int64) (title string, err error)
	GetByKey(ctx context.Context, slug string) (title string, err error)
	Create(ctx context.Context, a article) error
	CreateMany(ctx context.Context, rows []article) error
	List(ctx context.Context, limit int) (rows int, err error)                      // the first page by id
	Add(ctx context.Context, id int64) (views int64, err error)                     // one to the views, in the statement; returns the row
	ReadThenWrite(ctx context.Context, id int64) error                              // a row that is locked meanwhile; the new score depends on the old one
	UpdateWhere(ctx context.Context, from, to, score int64) (rows int64, err error) // of those ids
	ListByIDs(ctx context.Context, ids []int64) (rows int, err error)
	Close() error
}

// opener opens one side on an empty database and makes its table.
type opener func(ctx context.Context, at place) (side, error)

// seeded is how many rows every side starts with; their ids are 1 to seeded.
const seeded = 10_000

// fill writes the rows that reading cases read.
func fill(ctx context.Context, s side) error {
	const batch = 1000
	for from := 1; from <= seeded; from += batch {
		if err := s.CreateMany(ctx, articles(from, batch)); err != nil {
			return fmt.Errorf("%s: %w", s.Name(), err)
		}
	}
	return nil
}

// prove checks that a side does what it is timed for.
func prove(ctx context.Context, s side) error {
	const id = 4711
	for _, read := range []func() (string, error){
		func() (string, error) { return s.Get(ctx, id) },
		func() (string, error) { return s.GetByKey(ctx, slugAt(id)) },
	} {
		title, err := read()
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name(), err)
		}
		if title != titleAt(id) {
			return fmt.Errorf("%s: row %d has the title %q", s.Name(), id, title)
		}
	}
	rows, err := s.List(ctx, 100)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name(), err)
	}
	if rows != 100 {
		return fmt.Errorf("%s: listed %d rows of 100", s.Name(), rows)
	}
	return proveWrites(ctx, s)
}

// proveWrites checks it of what changes rows; the seed is the same afterwards on every side.
func proveWrites(ctx context.Context, s side) error {
	const id = 4711
	for i := range int64(2) {
		views, err := s.Add(ctx, id)
		if want := articleAt(id).Views + i + 1; err != nil || views != want {
			return fmt.Errorf("%s: %d views after an addition, want %d: %w", s.Name(), views, want, err)
		}
	}
	if err := s.ReadThenWrite(ctx, id); err != nil {
		return fmt.Errorf("%s: %w", s.Name(), err)
	}
	n, err := s.UpdateWhere(ctx, 101, 200, 777)
	if err != nil || n != 100 {
		return fmt.Errorf("%s: %d rows changed of 100: %w", s.Name(), n, err)
	}
	rows, err := s.ListByIDs(ctx, idsFrom(101))
	if err != nil || rows != listedIDs {
		return fmt.Errorf("%s: %d rows of %d ids: %w", s.Name(), rows, listedIDs, err)
	}
	return nil
}

// listedIDs is how many ids a list has.
const listedIDs = 100

// idsFrom are ids that lie apart.
func idsFrom(first int) []int64 {
	ids := make([]int64, listedIDs)
	for i := range ids {
		ids[i] = int64((first+i*97)%seeded + 1)
	}
	return ids
}
