//go:build unix

package faults

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"
	"github.com/hegner123/modulagen/runtime/store/storetest"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// wallClock is a clock that somebody sets.
type wallClock struct{ ahead atomic.Int64 }

func (c *wallClock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *wallClock) set(by time.Duration) { c.ahead.Add(int64(by)) }

// The wall clock jumps while a handler runs and another worker looks on. A live
// worker loses nothing by that; a dead one's job is taken over, also when its
// lease now lies an hour ahead.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"ahead": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, dsn string) {
				const lease = longLease
				var clock wallClock
				db, other := open(t, dsn, today.Options{Now: clock.now}), open(t, dsn, today.Options{Now: clock.now})
				begun, release := make(chan struct{}), make(chan struct{})
				id := note(t, db, "long")
				opts := queue.Options{Lease: lease, Concurrency: 2}
				stop := work(t, db, hands{note: func(ctx context.Context, j *today.NoteJob) error {
					if j.Row.ID != id {
						return nil
					}
					close(begun)
					<-release
					return ctx.Err()
				}}, opts)
				await(t, "the handler's beginning", begun)
				onlooker := work(t, other, hands{note: fine}, opts)

				// A job whose worker died just before the jump.
				row, err := db.Task.Create(t.Context(), today.TaskNew{
					JobType: "note", Payload: store.JSON(`{"text": "orphan"}`), State: store.Set(today.TaskStateRunning), Attempts: store.Int(1),
				})
				if err != nil {
					t.Fatal(err)
				}
				storetest.SetColumns(t, db.Store(), "task", map[string]any{
					"queue_version": int64(2), "queue_epoch": int64(1), "queue_lease": clock.now().Add(lease),
				}, row.ID)
				clock.set(jump)
				jumped := time.Now()
				is(t, ended(t, other, row.ID), today.TaskStateDone, 2, "was lost")
				if took := time.Since(jumped); took > 2*lease+20*time.Second {
					t.Errorf("the dead worker's job was run after %s", took)
				}
				renewed(t, other, 6, id) // nothing else is to happen meanwhile
				if row := get(t, db, id); row.Attempts != 1 || row.QueueEpoch != 1 {
					t.Errorf("the live worker lost its job: attempt %d, epoch %d", row.Attempts, row.QueueEpoch)
				}
				close(release)
				is(t, ended(t, db, id), today.TaskStateDone, 1, "")
				// New work is due at once, whatever it was before.
				is(t, ended(t, db, note(t, db, "new")), today.TaskStateDone, 1, "")
				mustStop(t, stop)
				mustStop(t, onlooker)
			})
		})
	}
}
