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
	List(ctx context.Context, limit int) (rows int, err error) // the first page by id
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
	return nil
}
