//go:build unix

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/chaos/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// change is a row of history, a second after the one before it. Its lease has
// two seconds left, unless it is a sweep's.
func change(n int, was, became string, epochWas, epoch, attemptsWas, attempts int64) generated.History {
	h := generated.History{
		Job: 1, Was: was, Became: became, EpochWas: epochWas, Epoch: epoch,
		AttemptsWas: attemptsWas, Attempts: attempts, At: noon.Add(time.Duration(n) * time.Second),
	}
	if was == running {
		h.LeaseWas = store.Null[time.Time]{V: h.At.Add(2 * time.Second), Valid: true}
		if attempts == attemptsWas && became == ready && epoch == 1 {
			h.LeaseWas.V = h.At.Add(-2 * time.Second)
		}
	}
	return h
}

func audited(epoch, attempt int64, did generated.AuditDid) generated.Audit {
	return generated.Audit{Job: 1, Token: 7, Epoch: epoch, Attempt: attempt, Did: did, Process: "worker 1.1"}
}

// told is a job that lost its lease, failed, and was then completed.
func told(inside bool) *dossier {
	return &dossier{
		id: 1,
		row: &generated.Job{
			ID: 1, JobType: "inside", Payload: store.JSON(`{"token": 7}`), State: generated.JobStateDone,
			Attempts: 3, MaxAttempts: 25, QueueEpoch: 3,
		},
		enqueued: &generated.Enqueued{Token: 7, Job: 1, Inside: inside},
		history: []generated.History{
			change(1, ready, running, 0, 1, 0, 1),
			change(2, running, ready, 1, 1, 1, 1), // taken from a worker that was gone
			change(3, ready, running, 1, 2, 1, 2),
			change(4, running, ready, 2, 2, 2, 2), // failed
			change(5, ready, running, 2, 3, 2, 3),
			change(6, running, done, 3, 3, 3, 3),
		},
		audit: []generated.Audit{audited(2, 2, generated.AuditDidFailed), audited(3, 3, generated.AuditDidEffect)},
	}
}

func TestProofOfAGoodRun(t *testing.T) {
	for _, inside := range []bool{true, false} {
		d := told(inside)
		got, found := prove(&evidence{jobs: map[int64]*dossier{1: d}, abandoned: []generated.Abandoned{{First: 8, Tokens: 3}}})
		want := counts{Committed: 1, Done: 1, Abandoned: 1, AbandonedJobs: 3, Claims: 3, RunAgain: 2, Lost: 1, Failed: 1}
		if inside {
			want.Inside = 1
		}
		if got != want {
			t.Errorf("counts %+v, want %+v", got, want)
		}
		for _, v := range found {
			t.Error(v.rule)
		}
	}
}

// Each promise, broken: the proof has to see it.
func TestProofOfABadRun(t *testing.T) {
	for _, test := range []struct {
		want string
		ruin func(*evidence, *dossier)
	}{
		{"never ended: it is running", func(_ *evidence, d *dossier) {
			d.row.State = generated.JobStateRunning
			d.history = d.history[:5]
		}},
		{"of a committed transaction is gone", func(_ *evidence, d *dossier) { d.row = nil }},
		{"no committed transaction enqueued exists", func(_ *evidence, d *dossier) { d.enqueued = nil }},
		{"no committed transaction enqueued ran", func(_ *evidence, d *dossier) { d.enqueued, d.row = nil, nil }},
		{"transaction was rolled back", func(e *evidence, _ *dossier) { e.abandoned = []generated.Abandoned{{First: 5, Tokens: 3}} }},
		{"not the one that was enqueued", func(_ *evidence, d *dossier) { d.row.Payload = store.JSON(`{"token": 8}`) }},
		{"given the payload of token 9", func(_ *evidence, d *dossier) { d.audit[0].Token = 9 }},
		{"had ended and was changed", func(_ *evidence, d *dossier) {
			d.history = append(d.history, change(7, done, ready, 3, 3, 3, 3))
		}},
		{"the job ended 2 times", func(_ *evidence, d *dossier) {
			d.history = append(d.history, change(7, done, running, 3, 3, 3, 3), change(8, running, done, 3, 3, 3, 3))
		}},
		{"its lease had not run out", func(_ *evidence, d *dossier) { d.history[1].LeaseWas.V = noon.Add(time.Hour) }},
		{"its lease had not run out", func(_ *evidence, d *dossier) { d.audit = d.audit[1:] }}, // no record of the failure
		{"history has a gap", func(_ *evidence, d *dossier) { d.history = d.history[2:] }},
		{"the epoch fell", func(_ *evidence, d *dossier) { d.history[3].Epoch = 1 }},
		{"a claim left epoch 0", func(_ *evidence, d *dossier) { d.history[0].Epoch = 0 }},
		{"ready became done", func(_ *evidence, d *dossier) { d.history[4].Became = done }},
		{"history ends with done of epoch 3, and the row is done of epoch 5", func(_ *evidence, d *dossier) { d.row.QueueEpoch = 5 }},
		{"ran its handler twice", func(_ *evidence, d *dossier) { d.audit = append(d.audit, d.audit[0]) }},
		{"there 2 times", func(_ *evidence, d *dossier) { // the first holder's writes stand too
			d.audit = append([]generated.Audit{audited(1, 1, generated.AuditDidEffect)}, d.audit...)
		}},
		{"there 0 times", func(_ *evidence, d *dossier) { d.audit = d.audit[:1] }},
		{"epoch 3 completed the job, and its handler did not", func(_ *evidence, d *dossier) { d.audit[1].Epoch = 1 }},
		{"dead after 3 of 25 attempts", func(_ *evidence, d *dossier) {
			d.row.State, d.history[5].Became = generated.JobStateDead, dead
		}},
		{"is cancelled, and 0 committed", func(_ *evidence, d *dossier) {
			d.row.State, d.history[5].Became = generated.JobStateCancelled, cancelled
		}},
		{"is done, and 1 committed", func(_ *evidence, d *dossier) { d.cancels = 1 }},
	} {
		d := told(true)
		e := &evidence{jobs: map[int64]*dossier{1: d}}
		test.ruin(e, d)
		_, found := prove(e)
		rules := make([]string, len(found))
		for i, v := range found {
			rules[i] = v.rule
		}
		if text := strings.Join(rules, "\n"); !strings.Contains(text, test.want) {
			t.Errorf("%q, want %q", text, test.want)
		}
	}
}

// A plan is a matter of seed and token alone, and every kind of it comes up.
func TestPlans(t *testing.T) {
	seen := map[string]int{}
	for token := range int64(5000) {
		p := planOf(1, token, time.Second)
		if p != planOf(1, token, time.Second) {
			t.Fatalf("token %d has two plans", token)
		}
		for what, is := range map[string]bool{
			"inside": p.inside, "beside": !p.inside, "fails": p.fails > 0, "snoozes": p.snoozes, "discards": p.discards,
			"hopeless": p.hopeless, "long": p.work > time.Second, "later": p.delay > 0,
		} {
			if is {
				seen[what]++
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("of 5000 plans: %s", fmt.Sprint(seen))
	}
}
