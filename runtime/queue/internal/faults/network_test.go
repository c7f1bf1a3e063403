//go:build unix

package faults

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/netfault"
	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"
	"github.com/hegner123/modulagen/runtime/store/storetest"

	"github.com/hegner123/modulagen/runtime/queue"
)

// onServers runs a test on each database that is reached over a network, through
// a proxy and past it.
func onServers(t *testing.T, test func(t *testing.T, p *netfault.Proxy, through, direct string)) {
	t.Parallel()
	for _, name := range []string{"postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			direct := freshDSN(t, name)
			t.Parallel()
			p, through := netfault.DSN(t, direct)
			test(t, p, through, direct)
		})
	}
}

// promptly checks that something ends within its stated time, and twenty seconds
// for a machine that has much to do.
func promptly(t *testing.T, what string, stated time.Duration, f func() error) {
	t.Helper()
	ended, since := make(chan error, 1), time.Now()
	go func() { ended <- f() }()
	select {
	case err := <-ended:
		t.Logf("%s took %s: %v", what, time.Since(since).Round(time.Millisecond), err)
	case <-time.After(stated + 20*time.Second):
		t.Errorf("%s has not ended after %s; %s is stated", what, time.Since(since), stated)
	}
}

// The network swallows everything: no answer, no reset. The handler learns that
// its lease is over before another process begins the job, Run returns within
// its stated time, and so does Close.
func TestNetworkSwallows(t *testing.T) {
	onServers(t, func(t *testing.T, p *netfault.Proxy, through, direct string) {
		const lease = 8 * time.Second
		db, other := open(t, through, today.Options{}), open(t, direct, today.Options{})
		id := note(t, other, "long", attempts(5))
		begun := make(chan struct{})
		var cancelled atomic.Bool
		cause := make(chan error, 1)
		opts := queue.Options{Lease: lease, StopTimeout: 2 * time.Second, Grace: time.Second}
		stop := work(t, db, hands{note: func(ctx context.Context, _ *today.NoteJob) error {
			close(begun)
			<-ctx.Done()
			cancelled.Store(true)
			cause <- context.Cause(ctx)
			return ctx.Err()
		}}, opts)
		await(t, "the handler's beginning", begun)
		p.Swallow()
		since := time.Now()
		second := make(chan bool, 1)
		work(t, other, hands{note: func(context.Context, *today.NoteJob) error {
			second <- cancelled.Load()
			return nil
		}}, queue.Options{Lease: lease})
		if why := await(t, "the end of the handler's context", cause); why != queue.ErrLeaseLost {
			t.Errorf("the context ended with %v, want queue.ErrLeaseLost", why)
		}
		t.Logf("cancelled %s after the network went, of a lease of %s", time.Since(since).Round(time.Millisecond), lease)
		if before := await(t, "the second handler", second); !before {
			t.Error("another process began the job before this one's handler was cancelled")
		}
		is(t, ended(t, other, id), today.TaskStateDone, 2, "was lost")
		promptly(t, "Run", 2*opts.StopTimeout+opts.Grace+2*time.Second, stop)
		promptly(t, "Close", 15*time.Second, db.Close)
	})
}

// The connections that exist are dead, as after a firewall forgot them, and new
// ones work: no lease is lost, and new jobs are run.
func TestConnectionsAreStranded(t *testing.T) {
	onServers(t, func(t *testing.T, p *netfault.Proxy, through, direct string) {
		db, other := open(t, through, today.Options{}), open(t, direct, today.Options{})
		long := note(t, other, "long")
		begun, release := make(chan struct{}, 10), make(chan struct{})
		stop := work(t, db, hands{note: func(ctx context.Context, j *today.NoteJob) error {
			if j.Payload.Text != "long" {
				return nil
			}
			begun <- struct{}{}
			<-release
			return context.Cause(ctx)
		}}, queue.Options{Lease: 12 * time.Second})
		await(t, "the handler's beginning", begun)
		is(t, ended(t, other, note(t, other, "before")), today.TaskStateDone, 1, "")
		p.Strand()
		var fresh []today.TaskID
		for range 5 {
			fresh = append(fresh, note(t, other, "after"))
		}
		for _, id := range fresh {
			if row := ended(t, other, id); row.State != today.TaskStateDone {
				t.Errorf("task %d is %s", id, row.State)
			}
		}
		renewed(t, other, 2, long)
		close(release)
		is(t, ended(t, other, long), today.TaskStateDone, 1, "")
		mustStop(t, stop)
	})
}

// The database answers, and takes longer than the engine's statements have. The
// worker starts, and runs jobs when the database is as fast as before.
func TestStartsOnASlowDatabase(t *testing.T) {
	onServers(t, func(t *testing.T, p *netfault.Proxy, through, direct string) {
		db, other := open(t, through, today.Options{}), open(t, direct, today.Options{})
		p.Delay(300 * time.Millisecond) // of a question, and of its answer
		log := newJournal()
		stop := work(t, db, hands{note: fine}, queue.Options{Lease: time.Second, Logger: log.logger()})
		log.says(t, "claim failed")
		p.Heal()
		is(t, ended(t, other, note(t, other, "after")), today.TaskStateDone, 1, "")
		mustStop(t, stop)
	})
}

// renewed waits until the leases of running tasks have changed n times each.
func renewed(t *testing.T, db *today.DB, n int, ids ...today.TaskID) {
	t.Helper()
	for _, id := range ids {
		at, left := get(t, db, id).QueueLease.V, n
		until(t, "the heartbeats", func() bool {
			row := get(t, db, id)
			if row.State != today.TaskStateRunning {
				t.Fatalf("task %d is %s, and its lease was renewed %d times less than %d", id, row.State, left, n)
			}
			if !row.QueueLease.V.Equal(at) { // a clock may go back
				at = row.QueueLease.V
				left--
			}
			return left == 0
		})
	}
}

// Handlers hold every connection of the program's pool for longer than a lease.
// The engine has its own: leases are renewed, other jobs are claimed and ended, and
// no one takes the jobs over.
func TestHandlersHoldThePool(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := freshDSN(t, name)
			t.Parallel()
			const conns, lease = 3, longLease
			db, err := today.Open(t.Context(), dsn, today.Options{MaxConns: conns})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			other := open(t, dsn, today.Options{})
			holding, release := make(chan struct{}, conns), make(chan struct{})
			h := hands{note: func(ctx context.Context, j *today.NoteJob) error {
				if j.Payload.Text != "holds" {
					return nil
				}
				return db.Tx(ctx, func(tx *today.Tx) error {
					if _, err := tx.Receipt.Create(ctx, today.ReceiptNew{Task: int64(j.Row.ID), By: "first"}); err != nil {
						return err
					}
					holding <- struct{}{}
					<-release
					return j.CompleteTx(ctx, tx)
				})
			}}
			opts := queue.Options{Lease: lease, Concurrency: conns + 1}
			stop := work(t, db, h, opts)
			var held []today.TaskID
			for range conns {
				held = append(held, note(t, other, "holds"))
			}
			for range conns {
				await(t, "a transaction", holding)
			}
			onlooker := work(t, other, hands{note: func(context.Context, *today.NoteJob) error {
				return errors.New("another process has it")
			}}, queue.Options{Lease: lease, Concurrency: 1})
			renewed(t, other, 4, held...)
			mustStop(t, onlooker)
			for range 5 { // claimed and ended while the pool is held
				is(t, ended(t, other, note(t, other, "quick")), today.TaskStateDone, 1, "")
			}
			close(release)
			for _, id := range held {
				is(t, ended(t, other, id), today.TaskStateDone, 1, "")
				receipts(t, other, id, "first")
			}
			mustStop(t, stop)
		})
	}
}

// On SQLite another process keeps the file locked: a handler learns in time that
// its lease is over, although no statement returns, and what was claimed ahead
// is not begun.
func TestLeaseEndsWhileTheFileIsLocked(t *testing.T) {
	t.Parallel()
	dsn := freshDSN(t, "sqlite")
	db, other := open(t, dsn, today.Options{}), open(t, dsn, today.Options{})
	const lease, quick = 2 * time.Second, 200
	var all []today.TaskID
	for range quick {
		all = append(all, note(t, other, "quick", attempts(10)))
	}
	var begun atomic.Int64
	blocked, cause, let := make(chan struct{}), make(chan error, 1), make(chan struct{})
	log := newJournal()
	stop := work(t, db, hands{note: func(ctx context.Context, j *today.NoteJob) error {
		if begun.Add(1) != quick/2 {
			return nil
		}
		close(blocked) // with a line full of what was claimed ahead behind it
		<-ctx.Done()
		cause <- context.Cause(ctx)
		<-let
		return nil
	}}, queue.Options{Lease: lease, Concurrency: 1, Logger: log.logger()})
	await(t, "the handler that waits", blocked)
	err := other.Tx(t.Context(), func(tx *today.Tx) error {
		if _, err := tx.Receipt.Create(t.Context(), today.ReceiptNew{By: "locker"}); err != nil {
			return err
		}
		locked := time.Now()
		if why := await(t, "the end of the handler's context", cause); why != queue.ErrLeaseLost {
			t.Errorf("the context ended with %v, want queue.ErrLeaseLost", why)
		}
		time.Sleep(lease - time.Since(locked)) // those that were claimed later are over, too
		close(let)
		log.saysAgain(t, 1, "claim failed") // the line is through with what it had
		if n := begun.Load(); n != quick/2 {
			t.Errorf("%d handlers began after the leases were over", n-quick/2)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range all {
		if row := ended(t, other, id); row.State != today.TaskStateDone {
			t.Errorf("task %d is %s", id, row.State)
		}
	}
	mustStop(t, stop)
}

// A claim of a worker that is not heard of is taken over after a whole lease if its
// lease is not over by the database's clock, and not before half a lease if it is.
func TestWorkersAreWatchedLongEnough(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		const lease = 3 * time.Second
		db := open(t, dsn, today.Options{})
		phantom := func(until time.Time) today.TaskID {
			id := note(t, db, "of another", attempts(5))
			storetest.SetColumns(t, db.Store(), "task", map[string]any{
				"state": "running", "attempts": int64(1), "queue_epoch": int64(1), "queue_lease": until,
			}, id)
			return id
		}
		slow, stale := phantom(time.Now().Add(time.Hour)), phantom(time.Now().Add(-time.Hour))
		taken := make(chan today.TaskID, 2)
		since := time.Now()
		stop := work(t, db, hands{note: func(_ context.Context, j *today.NoteJob) error {
			taken <- j.Row.ID
			return nil
		}}, queue.Options{Lease: lease})
		for range 2 {
			id := await(t, "a job that is taken over", taken)
			least := lease
			if id == stale {
				least = lease / 2
			}
			if after := time.Since(since); after < least {
				t.Errorf("taken over after %s, want %s at least (of %d and %d it is %d)", after, least, slow, stale, id)
			}
		}
		mustStop(t, stop)
	})
}
