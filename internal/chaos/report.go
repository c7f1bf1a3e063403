//go:build unix

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// shown is how many broken promises are printed with their evidence.
const shown = 10

// clockForm is how moments are printed.
const clockForm = "15:04:05.000000"

func (r result) broken() bool { return len(r.Violations)+len(r.Findings) > 0 }

// breaches counts the violations of one promise.
func (r result) breaches(b breach) (n int) {
	for _, v := range r.Violations {
		if v.breach == b {
			n++
		}
	}
	return n
}

// print says what the run came to, and shows the evidence of what went wrong.
func (r result) print(w io.Writer) {
	say := func(format string, a ...any) { fmt.Fprintf(w, "  "+format+"\n", a...) }
	say("%d jobs committed, %d of them under limits: %d done, %d dead, %d cancelled; %s under fire, %s to drain",
		r.Committed, r.Tasks, r.Done, r.Dead, r.Cancelled, r.Flow.Round(time.Second/10), r.Drained.Round(time.Second/10))
	say("%d transactions acknowledged; %d ended with an error, %d of which had committed; %d with %d jobs rolled back on purpose",
		r.Acked, r.UnsureIn+r.UnsureOut, r.UnsureIn, r.Abandoned, r.AbandonedJobs)
	say("%d processes killed, %d stopped for up to four leases, %d asked to end", r.Hits.Killed.Load(), r.Hits.Stopped, r.Hits.Asked)
	say("%d faults of the network: %d connections reset or half closed, %d swallowed, %d of them in a COMMIT; the server killed %d times",
		r.Hits.Faults, r.Hits.Reset, r.Hits.Swallowed, r.Hits.InCommit, r.Hits.Restarts)
	say("%d claims, %d of them again: after %d lost leases, %d failures, %d errors of the database, %d snoozes, %d given back",
		r.Claims, r.RunAgain, r.Lost, r.Failed, r.Broken, r.Snoozed, r.GivenBack)
	say("%d completed together with writes of their own; of the others %d had theirs twice", r.Inside, r.Twice)
	say("%d starts under a rate; %d looks at what ran at once and what was unique", r.Paced, r.Samples)
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
		say("nothing was lost, nothing was completed twice, nothing ran again without a reason, no limit was exceeded")
	}
}

// print shows all that the tables say of a job.
func (d *dossier) print(say func(string, ...any)) {
	say("  %s %d", d.queue, d.id)
	if d.enqueued != nil {
		say("    enqueued: token %d, inside %t", d.enqueued.token, d.enqueued.inside)
	}
	if d.row != nil {
		say("    row: %s, %s, epoch %d, attempts %d of %d, error %q",
			d.row.kind, d.row.state, d.row.epoch, d.row.attempts, d.row.maxAttempts, d.row.failure)
	}
	for _, h := range d.history {
		lease := "none"
		if !h.leaseWas.IsZero() {
			lease = h.leaseWas.Format(clockForm)
		}
		say("    %s  %s -> %s, epoch %d -> %d, attempts %d -> %d, lease was %s",
			h.at.Format(clockForm), h.was, h.became, h.epochWas, h.epoch, h.attemptsWas, h.attempts, lease)
	}
	for _, a := range d.audit {
		say("    %s audited %s in epoch %d, attempt %d", a.process, a.did, a.epoch, a.attempt)
	}
}

// summary is the table of all databases.
func summary(w io.Writer, kinds []string, results []result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "database\tkills\tstops\tcuts\tswallowed\tin COMMIT\trestarts\tjobs\tlost\ttwice\tlimits exceeded\tother\t")
	for i, r := range results {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", kinds[i], r.Hits.Killed.Load(), r.Hits.Stopped, r.Hits.Reset,
			r.Hits.Swallowed, r.Hits.InCommit, r.Hits.Restarts, r.Committed, r.breaches(wasLost), r.breaches(wasTwice),
			r.breaches(overstep), r.breaches(unsound)+len(r.Findings))
	}
	_ = t.Flush() // to the terminal
}
