package queuemodel

import (
	"fmt"
	"strings"
	"testing"
)

func TestEveryInterleaving(t *testing.T) {
	gr, wrong := explore(allGuards)
	if wrong != nil {
		t.Fatalf("%s:\n%s", wrong.rule, strings.Join(wrong.trace, "\n"))
	}
	for j := range nJobs {
		if i := gr.stuck(j); i >= 0 {
			t.Errorf("job %d can never end after:\n%s", j+1, strings.Join(gr.trace(i), "\n"))
		}
	}
	for i, w := range gr.worlds {
		for j, row := range w.jobs {
			if row.effects > row.completed || (row.completed == 1) != (row.state == done) {
				t.Fatalf("job %d is %+v after:\n%s", j+1, row, strings.Join(gr.trace(i), "\n"))
			}
		}
	}
	t.Logf("%d states, %d steps, no violation", len(gr.worlds), gr.steps)
}

// Each guard is needed: without it the search finds what it prevents.
func TestEachGuardIsNeeded(t *testing.T) {
	for _, test := range []struct {
		guard, rule string
		without     func(*guards)
	}{
		{"the epoch in settlements", "claim 2 of job 1 was settled by claim 1", func(g *guards) { g.settleEpoch = false }},
		{"the state in settlements", "job 1 had ended, and was changed", func(g *guards) { g.settleState = false }},
		{"the epoch in heartbeats", "a heartbeat for claim 1 of job 1 renewed the lease of claim 2", func(g *guards) { g.heartbeatEpoch = false }},
		{"the epoch that a claim raises", "a heartbeat for claim 1 of job 1 renewed the lease of claim 2", func(g *guards) { g.claimEpoch = false }},
		{"the lock of a claim", "job 1 runs again, and nothing was lost or failed", func(g *guards) { g.claimLock = false }},
		{"the epoch in BeginOnce", "claim 1 of job 1 began what claim 2 has", func(g *guards) { g.onceEpoch = false }},
		{"the mark in an expiry", "job 1 runs again, and nothing was lost or failed", func(g *guards) { g.onceMark = false }},
		{"the lease in an expiry", "job 1 runs again, and nothing was lost or failed", func(g *guards) { g.expireLease = false }},
	} {
		g := allGuards
		test.without(&g)
		_, found := explore(g)
		if found == nil {
			t.Errorf("without %s no rule is broken", test.guard)
			continue
		}
		t.Logf("without %s: %s\n\t%s", test.guard, found.rule, strings.Join(found.trace, "\n\t"))
		if !strings.HasPrefix(found.rule, test.rule) {
			t.Errorf("without %s: %q, want %q", test.guard, found.rule, test.rule)
		}
	}
}

// The shortest way to an overwritten result where settlements do not name the
// epoch, in a world that loses no reply.
func Example_withoutTheEpoch() {
	unfenced := allGuards
	unfenced.settleEpoch = false
	unfenced.replies = true
	_, found := explore(unfenced)
	fmt.Println(found.rule)
	for i, step := range found.trace {
		fmt.Printf("%d. %s\n", i+1, step)
	}
	// Output:
	// claim 2 of job 1 was settled by claim 1
	// 1. worker 1, job 1, epoch 1: claims
	// 2. job 1: its lease runs out
	// 3. job 1: expires
	// 4. worker 1, job 1, epoch 2: claims
	// 5. worker 1, job 1, epoch 1: completes
}
