package engine

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/handle"
	"github.com/hegner123/modulagen/runtime/store/core"
)

func TestIsDead(t *testing.T) {
	const lease = 10 * time.Second
	for _, c := range []struct {
		unchanged time.Duration
		over      bool
		dead      bool
	}{
		{0, true, false},
		{lease/2 - 1, true, false},
		{lease / 2, true, true},
		{lease / 2, false, false}, // slow, or a clock that is behind
		{lease - 1, false, false},
		{lease, false, true}, // whatever the clocks say
	} {
		if got := isDead(c.unchanged, lease, c.over); got != c.dead {
			t.Errorf("a claim unchanged for %s of %s, over by the clock %t: dead is %t, want %t", c.unchanged, lease, c.over, got, c.dead)
		}
	}
}

// The parts of a lease fit into one another, however short it is: a heartbeat
// that is lost is tried again in time, and a claim is given up before others may
// take it, the watch's own step included.
func TestPartsOfALease(t *testing.T) {
	for _, span := range []time.Duration{minLease, 300 * time.Millisecond, time.Second, 30 * time.Second, maxLease} {
		o := lease(span)
		if again := o.heartbeatEvery() + o.heartbeatTimeout() + o.heartbeatRetry(); span >= time.Second && again > o.safe()*4/5 {
			t.Errorf("lease %s: a second heartbeat begins after %s, of %s", span, again, o.safe())
		}
		if o.heartbeatTimeout() >= span || o.statementTimeout() >= span {
			t.Errorf("lease %s: statements may take %s and %s", span, o.heartbeatTimeout(), o.statementTimeout())
		}
		if ended := o.safe() + span/20; ended >= span {
			t.Errorf("lease %s: contexts of handlers end after %s", span, ended)
		}
	}
}

func TestClaimLeft(t *testing.T) {
	o := lease(time.Minute)
	c := &claim{confirmed: time.Now()}
	if left := c.left(o); left <= 0 || left > o.safe() {
		t.Errorf("%s are left of a claim that was just confirmed", left)
	}
	c.confirmed = time.Now().Add(-o.span() * 95 / 100)
	if left := c.left(o); left > 0 {
		t.Errorf("%s are left of a claim at the end of its lease", left)
	}
	c.confirm(time.Now())
	c.confirm(time.Now().Add(-time.Hour)) // an answer that comes late
	if left := c.left(o); left <= 0 {
		t.Error("a late answer took a confirmation back")
	}
}

// Without an answer of the database a job that runs ends before its lease does, one
// that has not begun is released, and one that completed in a transaction is left.
func TestLeasesAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const span = time.Minute
		r := &recorder{}
		claims := newClaimSet(quiet())
		w := &leaseWatch{lease: lease(span), claims: claims, release: r.release}
		waits, runs, done, renewed := fresh(1), fresh(2), fresh(3), fresh(4)
		for _, c := range []*claim{runs, done, renewed} {
			c.phase = performed
			c.ctx, c.cancel = context.WithCancelCause(t.Context())
		}
		done.handle = handle.New(handle.Job{}, func(context.Context, *core.Conn, json.RawMessage) error { return nil })
		if err := done.handle.CompleteIn(t.Context(), &core.Conn{}); err != nil { // outside a transaction: at once
			t.Fatal(err)
		}
		claims.add([]*claim{waits, runs, done, renewed})
		ctx, cancel := context.WithCancel(t.Context())
		go w.run(ctx)
		time.Sleep(span / 2)
		renewed.confirm(time.Now())
		<-runs.ctx.Done()
		if at := span/2 + time.Since(renewed.confirmed); at >= span || runs.cause() != queue.ErrLeaseLost {
			t.Errorf("the handler's context ended after %s with %v", at, runs.cause())
		}
		synctest.Wait()
		if !slices.Equal(r.released, []*claim{waits}) {
			t.Errorf("%d claims were released, want the one that has not begun", len(r.released))
		}
		if done.cause() != nil || renewed.cause() != nil {
			t.Errorf("contexts ended with %v of a job that is done, %v of one that was renewed", done.cause(), renewed.cause())
		}
		cancel()
	})
}
