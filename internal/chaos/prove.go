//go:build unix

package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hegner123/modulagen/internal/chaos/generated"
)

// clockGrain is by how much SQLite's clock, which shows milliseconds, may be
// behind the one that leases are measured with.
const clockGrain = time.Millisecond

// states and results as the tables have them: the words of the definitions.
var (
	ready     = string(generated.JobStateReady)
	running   = string(generated.JobStateRunning)
	done      = string(generated.JobStateDone)
	dead      = string(generated.JobStateDead)
	cancelled = string(generated.JobStateCancelled)

	effect    = string(generated.AuditDidEffect)
	failed    = string(generated.AuditDidFailed)
	snoozed   = string(generated.AuditDidSnoozed)
	discarded = string(generated.AuditDidDiscarded)
)

func ended(state string) bool { return state == done || state == dead || state == cancelled }

// counts are what a run came to.
type counts struct {
	Committed, Done, Dead, Cancelled   int // jobs
	Tasks                              int // those of them under limits
	Abandoned, AbandonedJobs           int // transactions rolled back on purpose, and their jobs
	Acked                              int // transactions whose commit succeeded
	UnsureIn, UnsureOut                int // transactions that ended with an error: committed, and not
	Claims, Lost, Failed, Snoozed      int
	GivenBack, RunAgain, Inside, Twice int // Twice: effects beside, more than one for a job
	Broken                             int // runs that an error of the database ended
	Paced                              int // starts under the rate
}

// breach is which promise was broken.
type breach string

const (
	wasLost  breach = "lost"
	wasTwice breach = "twice"
	overstep breach = "limit"
	unsound  breach = "unsound" // any other
)

// violation is a broken promise, with its evidence.
type violation struct {
	breach breach
	rule   string
	job    *dossier // nil: of no single job
}

// prove holds the evidence against the promises.
func prove(e *evidence) (counts, []violation) {
	p := &proof{evidence: e}
	order := func(a, b jobKey) int { return cmp.Or(cmp.Compare(a.queue, b.queue), cmp.Compare(a.id, b.id)) }
	for _, key := range slices.SortedFunc(maps.Keys(e.jobs), order) {
		p.job(e.jobs[key])
	}
	p.rolledBack()
	p.committed()
	p.unique()
	p.rate()
	return p.counts, p.found
}

type proof struct {
	*evidence
	counts counts
	found  []violation
}

func (p *proof) wrong(d *dossier, b breach, format string, a ...any) {
	p.found = append(p.found, violation{b, fmt.Sprintf(format, a...), d})
}

// job looks at one job, that of no committed transaction included.
func (p *proof) job(d *dossier) {
	switch {
	case d.enqueued == nil && d.row == nil:
		p.wrong(d, unsound, "a job that no committed transaction enqueued ran")
		return
	case d.enqueued == nil:
		p.wrong(d, unsound, "a job that no committed transaction enqueued exists")
		return
	case d.row == nil:
		p.wrong(d, wasLost, "a job of a committed transaction is gone")
		return
	}
	p.counts.Committed++
	if d.queue == "task" {
		p.counts.Tasks++
	}
	switch d.row.state {
	case done:
		p.counts.Done++
	case dead:
		p.counts.Dead++
	case cancelled:
		p.counts.Cancelled++
	default:
		p.wrong(d, wasLost, "the job never ended: it is %s", d.row.state)
	}
	p.token(d)
	p.changes(d)
	p.effects(d)
	p.death(d)
}

// token: the row, its outbox row and every audit row speak of the same job.
func (p *proof) token(d *dossier) {
	if d.row.token != d.enqueued.token {
		p.wrong(d, unsound, "the payload is not the one that was enqueued: it has token %d", d.row.token)
	}
	for _, a := range d.audit {
		if a.token != d.enqueued.token {
			p.wrong(d, unsound, "a run was given the payload of token %d", a.token)
		}
	}
}

// changes walks through the history: each change must be one that the state
// machine has, and have its reason.
func (p *proof) changes(d *dossier) {
	state, epoch := ready, int64(0)
	ends := 0
	for _, h := range d.history {
		if h.was != state || h.epochWas != epoch {
			p.wrong(d, unsound, "history has a gap: %s of epoch %d, then %s of epoch %d", state, epoch, h.was, h.epochWas)
		}
		if h.epoch < h.epochWas {
			p.wrong(d, unsound, "the epoch fell from %d to %d", h.epochWas, h.epoch)
		}
		state, epoch = h.became, h.epoch
		switch {
		case ended(h.was):
			p.wrong(d, unsound, "the job had ended and was changed to %s", h.became)
		case h.was == ready && h.became == running:
			p.claimed(d, h)
		case h.was == running && h.became == ready:
			p.returned(d, h)
		case h.was == running && ended(h.became), h.was == ready && h.became == cancelled:
			ends++
		default:
			p.wrong(d, unsound, "%s became %s", h.was, h.became)
		}
	}
	if state != d.row.state || epoch != d.row.epoch {
		p.wrong(d, unsound, "history ends with %s of epoch %d, and the row is %s of epoch %d", state, epoch, d.row.state, d.row.epoch)
	}
	if ends > 1 {
		p.wrong(d, wasTwice, "the job ended %d times", ends)
	}
}

func (p *proof) claimed(d *dossier, h change) {
	p.counts.Claims++
	if h.epochWas > 0 {
		p.counts.RunAgain++
	}
	if h.epoch <= h.epochWas || h.attempts != h.attemptsWas+1 {
		p.wrong(d, unsound, "a claim left epoch %d and attempts %d as %d and %d", h.epochWas, h.attemptsWas, h.epoch, h.attempts)
	}
}

// returned is where a second run comes from: the lease was lost, or the holder
// of the claim said so and its audit row or its diary shows it, or it gave back
// the attempt.
func (p *proof) returned(d *dossier, h change) {
	switch did := d.did(h.epochWas); {
	case did == failed:
		p.counts.Failed++
	case did == snoozed:
		p.counts.Snoozed++
	case h.attempts == h.attemptsWas-1:
		p.counts.GivenBack++
	case p.failed[claimOf{d.jobKey, h.epochWas}]:
		p.counts.Broken++
	case lapsed(h):
		p.counts.Lost++
	default:
		p.wrong(d, unsound, "epoch %d was made ready again, and its lease had not run out, nor had it failed, snoozed or been given back", h.epochWas)
	}
}

func lapsed(h change) bool {
	return !h.leaseWas.IsZero() && h.leaseWas.Before(h.at.Add(clockGrain))
}

// did is what the handler of an epoch audited; "" is nothing.
func (d *dossier) did(epoch int64) string {
	for _, a := range d.audit {
		if a.epoch == epoch {
			return a.did
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
		if runs[a.epoch]++; runs[a.epoch] == 2 {
			p.wrong(d, wasTwice, "the claim with epoch %d ran its handler twice", a.epoch)
		}
		if a.did == effect {
			effects++
		}
	}
	completedBy := int64(-1)
	if n := len(d.history); n > 0 && d.history[n-1].became == done {
		completedBy = d.history[n-1].epochWas
	}
	if d.row.state == done && d.did(completedBy) != effect {
		p.wrong(d, wasLost, "epoch %d completed the job, and its handler did not", completedBy)
	}
	if !d.enqueued.inside {
		if effects > 1 {
			p.counts.Twice++
		}
		return
	}
	p.counts.Inside += effects
	want := 0
	if d.row.state == done {
		want = 1
	}
	if effects == want {
		return
	}
	b := wasTwice
	if effects < want {
		b = wasLost
	}
	p.wrong(d, b, "the job is %s, and its handler's own writes are there %d times", d.row.state, effects)
}

// death needs a reason, and so does a cancelled state.
func (p *proof) death(d *dossier) {
	if was := d.row.state == cancelled; was != (d.cancels > 0) {
		p.wrong(d, unsound, "the job is %s, and %d committed transactions cancelled it", d.row.state, d.cancels)
	}
	if d.row.state != dead || d.row.attempts >= d.row.maxAttempts || len(d.history) == 0 {
		return
	}
	if d.did(d.history[len(d.history)-1].epochWas) != discarded {
		p.wrong(d, wasLost, "the job is dead after %d of %d attempts, and did not give up", d.row.attempts, d.row.maxAttempts)
	}
}

// rolledBack: no token that was rolled back on purpose was ever seen again.
func (p *proof) rolledBack() {
	all := map[int64]bool{}
	for _, a := range p.abandoned {
		p.counts.Abandoned++
		p.counts.AbandonedJobs += int(a.tokens)
		for i := range a.tokens {
			all[a.first+i] = true
		}
	}
	for _, d := range p.jobs {
		seen := d.enqueued != nil && all[d.enqueued.token]
		for _, a := range d.audit {
			seen = seen || all[a.token]
		}
		if seen {
			p.wrong(d, unsound, "the job's transaction was rolled back")
		}
	}
}

// committed: what the database acknowledged is there, whatever happened to the
// server since; what ended with an error is there as a whole or not at all.
func (p *proof) committed() {
	there := map[int64]bool{}
	for _, d := range p.jobs {
		if d.enqueued != nil {
			there[d.enqueued.token] = true
		}
	}
	found := func(some tokens) (n int) {
		for _, token := range some {
			if there[token] {
				n++
			}
		}
		return n
	}
	for _, some := range p.acked {
		p.counts.Acked++
		if n := found(some); n < len(some) {
			p.wrong(nil, wasLost, "a transaction was acknowledged, and %d of its %d jobs are there: tokens %v", n, len(some), some)
		}
	}
	for _, some := range p.unsure {
		switch n := found(some); n {
		case 0:
			p.counts.UnsureOut++
		case len(some):
			p.counts.UnsureIn++
		default:
			p.wrong(nil, wasLost, "a transaction ended with an error, and %d of its %d jobs are there: tokens %v", n, len(some), some)
		}
	}
}
