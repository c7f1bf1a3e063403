package queue

import (
	"testing"
	"time"
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
		if told := o.safe() + span/20; told >= span {
			t.Errorf("lease %s: handlers are told after %s", span, told)
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
