//go:build unix

package faults

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"

	"github.com/hegner123/modulagen/runtime/queue"
)

// TestFailover moves the primary of a replicated PostgreSQL three times under one
// worker: by a switchover, after which the old primary is a standby; by a crash;
// and away from a primary that goes on for reads, with all its connections. What
// was acknowledged, by a standby too, is not lost, and is completed once.
func TestFailover(t *testing.T) {
	a, b := newNode(t), newNode(t)
	a.begin(t)
	b.copy(t, a)
	const name = "failover" // of the connections
	dsn := "postgres://faults@127.0.0.1:" + a.port + ",127.0.0.1:" + b.port +
		"/postgres?sslmode=disable&target_session_attrs=read-write&application_name=" + name
	c := newConvoy(t, open(t, dsn, today.Options{}))

	c.hold(t)
	a.stop(t)
	c.goesOn(t, "a switchover", b, b.promote(t))
	a.follow(t, b)

	c.hold(t)
	b.kill()
	c.goesOn(t, "a crash", a, a.promote(t))
	b.copy(t, a)

	c.hold(t)
	a.refuseWrites(t)
	c.goesOn(t, "a primary that became read-only", b, b.promote(t))
	a.until(t, "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '"+name+"'")

	c.check(t, b)
}

// failoverLease is the lease of the worker's jobs.
const failoverLease = 5 * time.Second

// convoy is a worker, and jobs that are enqueued for it without end.
type convoy struct {
	db      *today.DB
	stop    func() error
	halt    context.CancelFunc // ends the enqueueing
	fed     chan []today.TaskID
	held    chan today.TaskID
	release chan struct{}
	ids     []today.TaskID // of the jobs that were held
}

func newConvoy(t *testing.T, db *today.DB) *convoy {
	c := &convoy{db: db, fed: make(chan []today.TaskID, 1), held: make(chan today.TaskID, 1), release: make(chan struct{})}
	finish := complete(db, "worker")
	h := hands{note: func(ctx context.Context, j *today.NoteJob) error {
		if j.Payload.Text == "held" && j.Row.Attempts == 1 {
			c.held <- j.Row.ID
			<-c.release
		}
		return finish(ctx, j)
	}}
	soon := func(int, error) time.Duration { return 100 * time.Millisecond }
	c.stop = work(t, db, h, queue.Options{Lease: failoverLease, Concurrency: 4, Backoff: soon})
	ctx, halt := context.WithCancel(t.Context())
	c.halt = halt
	go func() { c.fed <- feed(ctx, db) }()
	return c
}

// feed enqueues until ctx ends, and returns what was acknowledged.
func feed(ctx context.Context, db *today.DB) (ids []today.TaskID) {
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for ctx.Err() == nil {
		// The end of a context makes a commit that waits for a standby one that was
		// acknowledged without it: this one has none.
		row, err := db.Task.EnqueueNote(context.WithoutCancel(ctx), today.Note{Text: "fed"}, attempts(10_000))
		if err == nil {
			ids = append(ids, row.ID)
		}
		<-pause.C
	}
	return ids
}

// hold returns when a handler runs that waits for the end of the failover.
func (c *convoy) hold(t *testing.T) {
	t.Helper()
	note(t, c.db, "held", attempts(10_000))
	c.ids = append(c.ids, await(t, "a job that is held", c.held))
}

// goesOn asserts that the worker runs jobs, and listens, at the new primary.
func (c *convoy) goesOn(t *testing.T, after string, primary *node, promoted time.Time) {
	t.Helper()
	c.release <- struct{}{}
	direct := open(t, primary.dsn, today.Options{})
	row := ended(t, direct, note(t, direct, "after "+after, attempts(10_000)))
	took := time.Since(promoted)
	if row.State != today.TaskStateDone || took > 2*failoverLease {
		t.Errorf("after %s a job is %s within %s; want done within two leases of %s", after, row.State, took, failoverLease)
	}
	t.Logf("after %s the worker went on within %s", after, took.Round(time.Millisecond))
	primary.until(t, "SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'LISTEN modulagen' AND application_name = 'failover'")
	c.ids = append(c.ids, row.ID)
}

// check ends the enqueueing, and waits for every job.
func (c *convoy) check(t *testing.T, primary *node) {
	t.Helper()
	c.halt()
	fed := await(t, "the end of the enqueueing", c.fed)
	direct := open(t, primary.dsn, today.Options{})
	acknowledged := append(fed, c.ids...)
	primary.until(t, "SELECT count(*) = 0 FROM task WHERE state NOT IN ('done', 'dead')")
	completed := map[int64]int{}
	for row, err := range direct.Receipt.All(t.Context(), today.ReceiptQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		completed[row.Task]++
	}
	// Those whose acknowledgment was lost are there too.
	all := map[today.TaskID]bool{}
	for row, err := range direct.Task.All(t.Context(), today.TaskQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		all[row.ID] = true
		if n := completed[int64(row.ID)]; row.State != today.TaskStateDone || n != 1 {
			t.Errorf("task %d is %s, completed %d times: %s", row.ID, row.State, n, row.Error.V)
		}
	}
	for _, id := range acknowledged {
		if !all[id] {
			t.Errorf("task %d was acknowledged and is lost", id)
		}
	}
	t.Logf("%d jobs were acknowledged, of %d", len(acknowledged), len(all))
	mustStop(t, c.stop)
}

// TestStandbyDoesNotAnswer has a context end while a commit waits for a standby
// that is not there. The server stops waiting then and says that it has committed,
// with a warning that the standby may not have it: that is no acknowledgment.
func TestStandbyDoesNotAnswer(t *testing.T) {
	a := newNode(t)
	a.begin(t)
	db := open(t, a.dsn, today.Options{})
	row := today.ReceiptNew{By: "nobody"}
	a.set(t, "synchronous_standby_names", "*")
	ctx, cancel := context.WithCancel(t.Context())
	var writes sync.WaitGroup
	writes.Go(func() {
		for ctx.Err() == nil { // until the server has taken the setting up
			_, _ = db.Receipt.Create(ctx, row)
		}
	})
	a.until(t, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
	cancel()
	writes.Wait()
	for what, write := range map[string]func(context.Context) error{
		"a statement": func(ctx context.Context) error {
			_, err := db.Receipt.Create(ctx, row)
			return err
		},
		"a transaction": func(ctx context.Context) error {
			return db.Tx(ctx, func(tx *today.Tx) error {
				_, err := tx.Receipt.Create(ctx, row)
				return err
			})
		},
		"COPY": func(ctx context.Context) error {
			_, err := db.Receipt.CreateMany(ctx, slices.Repeat([]today.ReceiptNew{row}, 1000))
			return err
		},
		"a deletion": func(ctx context.Context) error {
			_, err := db.Receipt.DeleteWhere(ctx, today.ReceiptFields.By.Eq("nobody"))
			return err
		},
	} {
		writes.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := write(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s, which no standby has: %v", what, err)
			}
		})
	}
	writes.Wait()
}
