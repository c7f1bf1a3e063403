//go:build unix

package main

import (
	"fmt"
	"io"
	"time"
)

// shown is how many broken promises are printed with their evidence.
const shown = 10

func (r result) broken() bool { return len(r.Violations)+len(r.Findings) > 0 }

// print says what the run came to, and shows the evidence of what went wrong.
func (r result) print(w io.Writer) {
	say := func(format string, a ...any) { fmt.Fprintf(w, "  "+format+"\n", a...) }
	say("%d jobs committed: %d done, %d dead, %d cancelled; %s under fire, %s to drain",
		r.Committed, r.Done, r.Dead, r.Cancelled, r.Flow.Round(time.Second/10), r.Drained.Round(time.Second/10))
	say("%d transactions with %d jobs rolled back on purpose", r.Abandoned, r.AbandonedJobs)
	say("%d processes killed, %d stopped for up to four leases, %d asked to end", r.Hits.Killed.Load(), r.Hits.Stopped, r.Hits.Asked)
	say("%d claims, %d of them again: after %d lost leases, %d failures, %d snoozes, %d given back",
		r.Claims, r.RunAgain, r.Lost, r.Failed, r.Snoozed, r.GivenBack)
	say("%d completed together with writes of their own; of the others %d had theirs twice", r.Inside, r.Twice)
	for _, err := range r.Findings {
		say("FOUND: %v", err)
	}
	for i, v := range r.Violations {
		if i == shown {
			say("... and %d more", len(r.Violations)-shown)
			break
		}
		say("BROKEN: %s", v.rule)
		if v.job != nil {
			v.job.print(say)
		}
	}
	if !r.broken() {
		say("nothing was lost, nothing was completed twice, nothing ran again without a reason")
	}
}

// print shows all that the tables say of a job.
func (d *dossier) print(say func(string, ...any)) {
	say("  job %d", d.id)
	if d.enqueued != nil {
		say("    enqueued: token %d, inside %t", d.enqueued.Token, d.enqueued.Inside)
	}
	if d.row != nil {
		say("    row: %s, epoch %d, attempts %d of %d, error %q", d.row.State, d.row.QueueEpoch, d.row.Attempts, d.row.MaxAttempts, d.row.Error.V)
	}
	for _, h := range d.history {
		lease := "none"
		if h.LeaseWas.Valid {
			lease = h.LeaseWas.V.Format("15:04:05.000000")
		}
		say("    %s  %s -> %s, epoch %d -> %d, attempts %d -> %d, lease was %s",
			h.At.Format("15:04:05.000000"), h.Was, h.Became, h.EpochWas, h.Epoch, h.AttemptsWas, h.Attempts, lease)
	}
	for _, a := range d.audit {
		say("    %s audited %s in epoch %d, attempt %d", a.Process, a.Did, a.Epoch, a.Attempt)
	}
}
