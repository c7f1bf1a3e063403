//go:build unix

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// changed is a row of history, a second after the one before it. Its lease has
// two seconds left, unless it is a sweep's.
func changed(n int, was, became string, epochWas, epoch, attemptsWas, attempts int64) change {
	h := change{
		queue: "job", job: 1, kind: "inside", was: was, became: became, epochWas: epochWas, epoch: epoch,
		attemptsWas: attemptsWas, attempts: attempts, at: noon.Add(time.Duration(n) * time.Second),
	}
	if was == running {
		h.leaseWas = h.at.Add(2 * time.Second)
		if attempts == attemptsWas && became == ready && epoch == 1 {
			h.leaseWas = h.at.Add(-2 * time.Second)
		}
	}
	return h
}

func audited(epoch, attempt int64, did string) audit {
	return audit{token: 7, epoch: epoch, attempt: attempt, did: did, process: "worker 1.1"}
}

// told is a job that lost its lease, failed, and was then completed.
func told(inside bool) *dossier {
	return &dossier{
		jobKey:   jobKey{"job", 1},
		row:      &jobRow{kind: "inside", token: 7, state: done, attempts: 3, maxAttempts: 25, epoch: 3},
		enqueued: &enqueuedOf{token: 7, inside: inside},
		history: []change{
			changed(1, ready, running, 0, 1, 0, 1),
			changed(2, running, ready, 1, 1, 1, 1), // taken from a worker that was gone
			changed(3, ready, running, 1, 2, 1, 2),
			changed(4, running, ready, 2, 2, 2, 2), // failed
			changed(5, ready, running, 2, 3, 2, 3),
			changed(6, running, done, 3, 3, 3, 3),
		},
		audit: []audit{audited(2, 2, failed), audited(3, 3, effect)},
	}
}

func evidenceOf(all ...*dossier) *evidence {
	e := &evidence{jobs: map[jobKey]*dossier{}, diaries: diaries{failed: map[claimOf]bool{}}}
	for _, d := range all {
		e.jobs[d.jobKey] = d
	}
	return e
}

func TestProofOfAGoodRun(t *testing.T) {
	for _, inside := range []bool{true, false} {
		e := evidenceOf(told(inside))
		e.abandoned = []abandoned{{first: 8, tokens: 3}}
		e.acked, e.unsure = []tokens{{7}}, []tokens{{7}, {12, 13}}
		got, found := prove(e)
		want := counts{
			Committed: 1, Done: 1, Abandoned: 1, AbandonedJobs: 3, Acked: 1, UnsureIn: 1, UnsureOut: 1,
			Claims: 3, RunAgain: 2, Lost: 1, Failed: 1,
		}
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

// A run that an error of the database ended is a reason to run again.
func TestProofOfABrokenRun(t *testing.T) {
	d := told(true)
	d.audit = d.audit[1:]
	e := evidenceOf(d)
	e.failed[claimOf{d.jobKey, 2}] = true
	if got, found := prove(e); len(found) > 0 || got.Broken != 1 {
		t.Errorf("%d runs were ended by errors, want 1; %v", got.Broken, found)
	}
}

// Each promise, broken: the proof has to see it.
func TestProofOfABadRun(t *testing.T) {
	for _, test := range []struct {
		want string
		ruin func(*evidence, *dossier)
	}{
		{"never ended: it is running", func(_ *evidence, d *dossier) {
			d.row.state = running
			d.history = d.history[:5]
		}},
		{"of a committed transaction is gone", func(_ *evidence, d *dossier) { d.row = nil }},
		{"no committed transaction enqueued exists", func(_ *evidence, d *dossier) { d.enqueued = nil }},
		{"no committed transaction enqueued ran", func(_ *evidence, d *dossier) { d.enqueued, d.row = nil, nil }},
		{"transaction was rolled back", func(e *evidence, _ *dossier) { e.abandoned = []abandoned{{first: 5, tokens: 3}} }},
		{"not the one that was enqueued", func(_ *evidence, d *dossier) { d.row.token = 8 }},
		{"given the payload of token 9", func(_ *evidence, d *dossier) { d.audit[0].token = 9 }},
		{"had ended and was changed", func(_ *evidence, d *dossier) {
			d.history = append(d.history, changed(7, done, ready, 3, 3, 3, 3))
		}},
		{"the job ended 2 times", func(_ *evidence, d *dossier) {
			d.history = append(d.history, changed(7, done, running, 3, 3, 3, 3), changed(8, running, done, 3, 3, 3, 3))
		}},
		{"its lease had not run out", func(_ *evidence, d *dossier) { d.history[1].leaseWas = noon.Add(time.Hour) }},
		{"its lease had not run out", func(_ *evidence, d *dossier) { d.audit = d.audit[1:] }}, // no record of the failure
		{"history has a gap", func(_ *evidence, d *dossier) { d.history = d.history[2:] }},
		{"the epoch fell", func(_ *evidence, d *dossier) { d.history[3].epoch = 1 }},
		{"a claim left epoch 0", func(_ *evidence, d *dossier) { d.history[0].epoch = 0 }},
		{"ready became done", func(_ *evidence, d *dossier) { d.history[4].became = done }},
		{"history ends with done of epoch 3, and the row is done of epoch 5", func(_ *evidence, d *dossier) { d.row.epoch = 5 }},
		{"ran its handler twice", func(_ *evidence, d *dossier) { d.audit = append(d.audit, d.audit[0]) }},
		{"there 2 times", func(_ *evidence, d *dossier) { // the first holder's writes stand too
			d.audit = append([]audit{audited(1, 1, effect)}, d.audit...)
		}},
		{"there 0 times", func(_ *evidence, d *dossier) { d.audit = d.audit[:1] }},
		{"epoch 3 completed the job, and its handler did not", func(_ *evidence, d *dossier) { d.audit[1].epoch = 1 }},
		{"dead after 3 of 25 attempts", func(_ *evidence, d *dossier) {
			d.row.state, d.history[5].became = dead, dead
		}},
		{"is cancelled, and 0 committed", func(_ *evidence, d *dossier) {
			d.row.state, d.history[5].became = cancelled, cancelled
		}},
		{"is done, and 1 committed", func(_ *evidence, d *dossier) { d.cancels = 1 }},
		{"acknowledged, and 1 of its 2 jobs", func(e *evidence, _ *dossier) { e.acked = []tokens{{7, 99}} }},
		{"acknowledged, and 0 of its 1 jobs", func(e *evidence, _ *dossier) { e.acked = []tokens{{7}, {99}} }},
		{"ended with an error, and 1 of its 2 jobs", func(e *evidence, _ *dossier) { e.unsure = []tokens{{7, 99}} }},
	} {
		d := told(true)
		e := evidenceOf(d)
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
