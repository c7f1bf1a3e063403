package table

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// ChangeReader reads what other processes have changed when a test says so.
type ChangeReader = changeReader

// ReadByHand returns a change reader in place of the one that a cache on b would
// start by itself.
func ReadByHand(b backend.Backend) *ChangeReader {
	t := b.(*table)
	t.shared.invalidator.Follow(context.Background(), followed{b})
	return t.changeReader()
}

// followed is a backend whose changes someone reads already.
type followed struct{ backend.Backend }

func (followed) Follow(context.Context) error { return nil }

// Begin is what Follow does first.
func (r *changeReader) Begin(ctx context.Context) error { return r.begin(ctx) }

// Read is one look.
func (r *changeReader) Read(ctx context.Context) error { return r.read(ctx) }

// Gaps is the number of missing rows that are waited for.
func (r *changeReader) Gaps() int { return len(r.gaps.all) }

// Last is the greatest id that was read.
func (r *changeReader) Last() int64 { return r.last }

// SetWall says when, by the wall clock, reading last went well.
func (r *changeReader) SetWall(ago time.Duration) { r.wall = r.wall.Add(-ago) }

// SpecOf returns what generated code says of the cache that b is.
func SpecOf(b backend.Backend) *Spec { return b.(*table).spec }

// Bounded returns the table that b is with bounds of its own in place of those of its
// datatype.
func Bounded(b backend.Backend, entries, bytes int64) backend.Backend {
	t := b.(*table)
	spec := *t.spec
	spec.MaxEntries, spec.MaxBytes = entries, bytes
	return tableOf(t.c, &spec)
}
