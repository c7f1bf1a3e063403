package table

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// A transaction removes the entries that are committed by then. Beside it, before it commits, another caller
// may begin to load an entry from rows as they were, and keep it. So what a transaction of the caller's has
// removed is removed once more after the commit, when a load that begins reads what it wrote. Where a
// transaction is the only one that writes, no load gets its lease meanwhile.

// removals are those of a transaction, by what tells them apart.
type removals struct {
	mu    sync.Mutex
	again map[string]removal
}

// removal removes entries.
type removal struct {
	// may reports, without a lock, whether there may be something to remove; nil: always.
	may func(context.Context, *table) (bool, error)
	do  func(context.Context, *table) error
}

type removalsKey struct{ spec *Spec }

// againTime bounds the removal after a commit.
const againTime = 10 * time.Second

// removeAgain has a removal of the transaction that t is done once more after its commit; what is the same for
// removals that are.
func (t *table) removeAgain(ctx context.Context, what string, remove removal) {
	if !t.c.InTransaction() || t.c.OneWriter() {
		return
	}
	r := t.c.Local(removalsKey{t.spec}, func() any { return &removals{again: map[string]removal{}} }).(*removals)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.again) == 0 {
		t.c.AfterCommit(func() { r.run(context.WithoutCancel(ctx), t.root()) })
	}
	r.again[what] = remove
}

// removedBefore forgets the removals of the transaction that t is: it has written entries since, which are made
// of what it wrote and may have the same tags.
func (t *table) removedBefore() {
	if r, ok := t.c.Local(removalsKey{t.spec}, nil).(*removals); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		clear(r.again)
	}
}

func (r *removals) run(ctx context.Context, t *table) {
	ctx, cancel := context.WithTimeout(ctx, againTime)
	defer cancel()
	r.mu.Lock()
	all := r.again
	r.again = nil
	r.mu.Unlock()
	var due []removal
	for _, what := range slices.Sorted(maps.Keys(all)) { // in one order: no deadlocks
		if r := all[what]; r.needed(ctx, t) {
			due = append(due, r)
		}
	}
	if len(due) == 0 {
		return
	}
	err := t.c.InTx(ctx, func(c *core.Conn) error {
		for _, r := range due {
			if err := r.do(ctx, t.in(c)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil { // the transaction stands
		t.c.DB().Logger().WarnContext(ctx, "cache: what was loaded while a transaction ran could not be removed after its commit, and may be as it was before it",
			"cache", t.spec.Name, "error", err)
	}
}

// needed reports whether there may be something to remove. Mostly there is nothing, and to see that takes one
// statement where a transaction takes three. An error is left to the transaction.
func (r removal) needed(ctx context.Context, t *table) bool {
	if r.may == nil {
		return true
	}
	may, err := r.may(ctx, t)
	return may || err != nil
}
