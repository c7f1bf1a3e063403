//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hegner123/modulagen/internal/chaos/generated"
)

// clockGrain is by how much SQLite's clock, which shows milliseconds, may be
// behind the one that leases are measured with.
const clockGrain = time.Millisecond

// states as history has them: the words of the definition.
var (
	ready     = string(generated.JobStateReady)
	running   = string(generated.JobStateRunning)
	done      = string(generated.JobStateDone)
	dead      = string(generated.JobStateDead)
	cancelled = string(generated.JobStateCancelled)
)

func ended(state string) bool { return state == done || state == dead || state == cancelled }

// counts are what a run came to.
type counts struct {
	Committed, Done, Dead, Cancelled   int // jobs
	Abandoned, AbandonedJobs           int // transactions rolled back on purpose, and their jobs
	Claims, Lost, Failed, Snoozed      int
	GivenBack, RunAgain, Inside, Twice int // Twice: effects beside, more than one for a job
}

// violation is a broken promise, with its evidence.
type violation struct {
	rule string
	job  *dossier // nil: of no single job
}

// prove holds the evidence against the promises.
func prove(e *evidence) (counts, []violation) {
	p := &proof{}
	for _, id := range slices.Sorted(func(yield func(int64) bool) {
		for id := range e.jobs {
			if !yield(id) {
				return
			}
		}
	}) {
		p.job(e.jobs[id])
	}
	p.rolledBack(e)
	return p.counts, p.found
}

type proof struct {
	counts counts
	found  []violation
}

func (p *proof) wrong(d *dossier, format string, a ...any) {
	p.found = append(p.found, violation{fmt.Sprintf(format, a...), d})
}

// job looks at one job, that of no committed transaction included.
func (p *proof) job(d *dossier) {
	switch {
	case d.enqueued == nil && d.row == nil:
		p.wrong(d, "a job that no committed transaction enqueued ran")
		return
	case d.enqueued == nil:
		p.wrong(d, "a job that no committed transaction enqueued exists")
		return
	case d.row == nil:
		p.wrong(d, "a job of a committed transaction is gone")
		return
	}
	p.counts.Committed++
	switch state := string(d.row.State); state {
	case done:
		p.counts.Done++
	case dead:
		p.counts.Dead++
	case cancelled:
		p.counts.Cancelled++
	default:
		p.wrong(d, "the job never ended: it is %s", state)
	}
	p.token(d)
	p.changes(d)
	p.effects(d)
	p.death(d)
}

// token: the row, its outbox row and every audit row speak of the same job.
func (p *proof) token(d *dossier) {
	var payload generated.Inside
	if err := json.Unmarshal(d.row.Payload, &payload); err != nil || payload.Token != d.enqueued.Token {
		p.wrong(d, "the payload is not the one that was enqueued: %s", d.row.Payload)
	}
	for _, a := range d.audit {
		if a.Token != d.enqueued.Token {
			p.wrong(d, "a run was given the payload of token %d", a.Token)
		}
	}
}

// changes walks through the history: each change must be one that the state
// machine has, and have its reason.
func (p *proof) changes(d *dossier) {
	state, epoch := ready, int64(0)
	ends := 0
	for _, h := range d.history {
		if h.Was != state || h.EpochWas != epoch {
			p.wrong(d, "history has a gap: %s of epoch %d, then %s of epoch %d", state, epoch, h.Was, h.EpochWas)
		}
		if h.Epoch < h.EpochWas {
			p.wrong(d, "the epoch fell from %d to %d", h.EpochWas, h.Epoch)
		}
		state, epoch = h.Became, h.Epoch
		switch {
		case ended(h.Was):
			p.wrong(d, "the job had ended and was changed to %s", h.Became)
		case h.Was == ready && h.Became == running:
			p.claimed(d, h)
		case h.Was == running && h.Became == ready:
			p.returned(d, h)
		case h.Was == running && ended(h.Became), h.Was == ready && h.Became == cancelled:
			ends++
		default:
			p.wrong(d, "%s became %s", h.Was, h.Became)
		}
	}
	if state != string(d.row.State) || epoch != d.row.QueueEpoch {
		p.wrong(d, "history ends with %s of epoch %d, and the row is %s of epoch %d", state, epoch, d.row.State, d.row.QueueEpoch)
	}
	if ends > 1 {
		p.wrong(d, "the job ended %d times", ends)
	}
}

func (p *proof) claimed(d *dossier, h generated.History) {
	p.counts.Claims++
	if h.EpochWas > 0 {
		p.counts.RunAgain++
	}
	if h.Epoch <= h.EpochWas || h.Attempts != h.AttemptsWas+1 {
		p.wrong(d, "a claim left epoch %d and attempts %d as %d and %d", h.EpochWas, h.AttemptsWas, h.Epoch, h.Attempts)
	}
}

// returned is where a second run comes from: the lease was lost, or the holder
// of the claim said so and its audit row is there, or it gave back the attempt.
func (p *proof) returned(d *dossier, h generated.History) {
	switch did := d.did(h.EpochWas); {
	case did == generated.AuditDidFailed:
		p.counts.Failed++
	case did == generated.AuditDidSnoozed:
		p.counts.Snoozed++
	case h.Attempts == h.AttemptsWas-1:
		p.counts.GivenBack++
	case lapsed(h):
		p.counts.Lost++
	default:
		p.wrong(d, "epoch %d was made ready again, and its lease had not run out, nor had it failed, snoozed or been given back", h.EpochWas)
	}
}

func lapsed(h generated.History) bool {
	return h.LeaseWas.Valid && h.LeaseWas.V.Before(h.At.Add(clockGrain))
}

// did is what the handler of an epoch audited; "" is nothing.
func (d *dossier) did(epoch int64) generated.AuditDid {
	for _, a := range d.audit {
		if a.Epoch == epoch {
			return a.Did
		}
	}
	return ""
}

// effects: a claim runs its handler once; what was written inside the completing
// transaction stands exactly where that completed.
func (p *proof) effects(d *dossier) {
	runs := map[int64]int{}
	effects := 0
	for _, a := range d.audit {
		if runs[a.Epoch]++; runs[a.Epoch] == 2 {
			p.wrong(d, "the claim with epoch %d ran its handler twice", a.Epoch)
		}
		if a.Did == generated.AuditDidEffect {
			effects++
		}
	}
	completedBy := int64(-1)
	if n := len(d.history); n > 0 && d.history[n-1].Became == done {
		completedBy = d.history[n-1].EpochWas
	}
	if d.row.State == generated.JobStateDone && d.did(completedBy) != generated.AuditDidEffect {
		p.wrong(d, "epoch %d completed the job, and its handler did not", completedBy)
	}
	if !d.enqueued.Inside {
		if effects > 1 {
			p.counts.Twice++
		}
		return
	}
	p.counts.Inside += effects
	want := 0
	if d.row.State == generated.JobStateDone {
		want = 1
	}
	if effects != want {
		p.wrong(d, "the job is %s, and its handler's own writes are there %d times", d.row.State, effects)
	}
}

// death needs a reason, and so does a cancelled state.
func (p *proof) death(d *dossier) {
	if was := d.row.State == generated.JobStateCancelled; was != (d.cancels > 0) {
		p.wrong(d, "the job is %s, and %d committed transactions cancelled it", d.row.State, d.cancels)
	}
	if d.row.State != generated.JobStateDead || d.row.Attempts >= d.row.MaxAttempts || len(d.history) == 0 {
		return
	}
	if d.did(d.history[len(d.history)-1].EpochWas) != generated.AuditDidDiscarded {
		p.wrong(d, "the job is dead after %d of %d attempts, and did not give up", d.row.Attempts, d.row.MaxAttempts)
	}
}

// rolledBack: no token that was rolled back on purpose was ever seen again.
func (p *proof) rolledBack(e *evidence) {
	tokens := map[int64]bool{}
	for _, a := range e.abandoned {
		p.counts.Abandoned++
		p.counts.AbandonedJobs += int(a.Tokens)
		for i := range a.Tokens {
			tokens[a.First+i] = true
		}
	}
	for _, d := range e.jobs {
		seen := d.enqueued != nil && tokens[d.enqueued.Token]
		for _, a := range d.audit {
			seen = seen || tokens[a.Token]
		}
		if seen {
			p.wrong(d, "the job's transaction was rolled back")
		}
	}
}
