package store

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
)

// operation is one case operation: how often a sample repeats it, and the call itself.
type operation struct {
	name  string
	times int
	rows  int                                                            // articles that one call writes; they are made before the clock runs
	call  func(ctx context.Context, s side, n int, rows []article) error // n grows by one with every call on that side
}

// operations in the order of the issue.
var operations = []operation{
	{"get by id", 2000, 0, func(ctx context.Context, s side, n int, _ []article) error {
		_, err := s.Get(ctx, int64(spread(n)))
		return err
	}},
	{"get by key", 2000, 0, func(ctx context.Context, s side, n int, _ []article) error {
		_, err := s.GetByKey(ctx, slugAt(spread(n)))
		return err
	}},
	{"create", 2000, 1, func(ctx context.Context, s side, _ int, rows []article) error {
		return s.Create(ctx, rows[0])
	}},
	{"create many (1000)", 3, 1000, func(ctx context.Context, s side, _ int, rows []article) error {
		return s.CreateMany(ctx, rows)
	}},
	{"list (100)", 200, 0, func(ctx context.Context, s side, _ int, _ []article) error {
		rows, err := s.List(ctx, 100)
		if err == nil && rows != 100 {
			err = fmt.Errorf("%d rows", rows)
		}
		return err
	}},
	{"add", 2000, 0, func(ctx context.Context, s side, n int, _ []article) error {
		_, err := s.Add(ctx, int64(spread(n)))
		return err
	}},
	{"get for update, update", 1000, 0, func(ctx context.Context, s side, n int, _ []article) error {
		return s.ReadThenWrite(ctx, int64(spread(n)))
	}},
	{"update where (100)", 200, 0, func(ctx context.Context, s side, n int, _ []article) error {
		from := int64(n*100%(seeded-100)) + 1
		_, err := s.UpdateWhere(ctx, from, from+99, int64(n))
		return err
	}},
	{"list by ids (100)", 200, 0, func(ctx context.Context, s side, n int, _ []article) error {
		rows, err := s.ListByIDs(ctx, idsFrom(n))
		if err == nil && rows != listedIDs {
			err = fmt.Errorf("%d rows", rows)
		}
		return err
	}},
}

// spread walks the seeded rows in an order that no cache of pages foresees:
// a stride that shares no factor with their number visits each of them.
func spread(n int) int { return n*7919%seeded + 1 }

// timing is a sample: microseconds for one call of the operation.
func timing(ctx context.Context, s side, op operation) measure.Sample {
	n := 0
	from := seeded + op.rows*10_000_000 // where this operation's own rows begin: no slug comes twice
	return func() (float64, error) {
		rows := articles(from+n*op.rows, op.times*op.rows)
		runtime.GC() // the garbage of the side before is not this side's cost
		start := time.Now()
		for i := range op.times {
			if err := op.call(ctx, s, n, rows[i*op.rows:(i+1)*op.rows]); err != nil {
				return 0, fmt.Errorf("%s: %s: %w", s.Name(), op.name, err)
			}
			n++
		}
		return float64(time.Since(start).Microseconds()) / float64(op.times), nil
	}
}
