//go:build unix

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// The limits of definitions/task.yaml, as its proof knows them.
const (
	cappedAtOnce = 2
	pacedMax     = 20
	pacedEvery   = time.Second
)

// unique: a job that is unique by its key was added when the one before it of
// the same key had ended. The database's own clock and triggers say when.
func (p *proof) unique() {
	byKey := map[string][]*dossier{}
	for _, d := range p.jobs {
		if d.row != nil && d.row.kind == "once" && d.added != nil {
			byKey[d.row.key] = append(byKey[d.row.key], d)
		}
	}
	for key, all := range byKey {
		slices.SortFunc(all, func(a, b *dossier) int {
			return cmp.Or(a.added.at.Compare(b.added.at), cmp.Compare(a.id, b.id))
		})
		for i, d := range all[1:] {
			before := all[i]
			n := len(before.history)
			if n == 0 || !ended(before.history[n-1].became) || d.added.at.Before(before.history[n-1].at) {
				p.wrong(d, overstep, "job %d of key %s was added at %s, and job %d of the same key was unfinished",
					d.id, key, d.added.at.Format(clockForm), before.id)
			}
		}
	}
}

// started is how many jobs the engine let start under the rate at one moment.
type started struct {
	at time.Time
	n  int
}

// rate: the rate counts claims. Each is written by the connection that then
// counts it; those that the rate refused became ready again before that. The
// moment is the engine's, as far as it lies between the claim and the use of
// the rate by the database's clock.
func (p *proof) rate() {
	starts, uncounted := startsOf(p.timeline)
	for _, c := range uncounted {
		p.wrong(p.of(c.queue, c.job), overstep, "epoch %d was claimed, and the rate did not count it", c.epoch)
	}
	slices.SortFunc(starts, func(a, b started) int { return a.at.Compare(b.at) })
	first, inSpan := 0, 0
	for _, s := range starts {
		p.counts.Paced += s.n
		inSpan += s.n
		for ; !starts[first].at.Add(pacedEvery).After(s.at); first++ {
			inSpan -= starts[first].n
		}
		if inSpan > pacedMax {
			p.wrong(nil, overstep, "%d jobs of a rate of %d in %s started in the span that ends at %s",
				inSpan, pacedMax, pacedEvery, s.at.Format(clockForm))
		}
	}
}

// startsOf reads the starts under the rate out of the timeline, and the claims
// that were never counted.
func startsOf(timeline []change) (starts []started, uncounted []change) {
	type place struct {
		conn int64
		key  jobKey
	}
	pending := map[place]change{}
	for _, c := range timeline {
		if c.queue != "task" || c.kind != "paced" {
			continue
		}
		at := place{c.conn, jobKey{c.queue, c.job}}
		switch {
		case c.was == ready && c.became == running:
			pending[at] = c
		case c.was == running:
			delete(pending, at)
		case c.counted > 0:
			s := started{at: time.UnixMicro(c.counted).UTC()}
			for where, claim := range pending {
				if where.conn != c.conn {
					continue
				}
				s.n++
				if s.at.Before(claim.at) {
					s.at = claim.at
				}
				delete(pending, where)
			}
			if s.at.After(c.at) {
				s.at = c.at
			}
			if s.n > 0 {
				starts = append(starts, s)
			}
		}
	}
	for _, c := range pending {
		uncounted = append(uncounted, c)
	}
	return starts, uncounted
}

// sampler looks, as often as it can, for what must not be seen at any moment.
type sampler struct {
	reader  *reader
	samples int
	found   []violation
	seen    map[string]bool
	looked  func(n int) // of tests
}

// sampleEvery leaves the database to others between two looks.
const sampleEvery = 20 * time.Millisecond

// run samples until ctx ends.
func (s *sampler) run(ctx context.Context) {
	forbidden := map[string]string{
		"%d jobs of key %s ran at once": fmt.Sprintf(
			"SELECT COUNT(*), %[1]s FROM task WHERE job_type = 'capped' AND state = 'running' GROUP BY %[1]s HAVING COUNT(*) > %[2]d",
			s.reader.key(), cappedAtOnce),
		"%d jobs of key %s, which is unique, were unfinished at once": fmt.Sprintf(
			"SELECT COUNT(*), %[1]s FROM task WHERE job_type = 'once' AND state IN ('ready', 'running') GROUP BY %[1]s HAVING COUNT(*) > 1",
			s.reader.key()),
	}
	for ctx.Err() == nil {
		succeeded := true
		for rule, query := range forbidden {
			err := s.reader.each(ctx, query, func(scan func(...any) error) error {
				var n int
				var key string
				if err := scan(&n, &key); err != nil {
					return err
				}
				s.over(fmt.Sprintf(rule, n, key))
				return nil
			})
			succeeded = succeeded && err == nil // the server is killed now and then
		}
		if succeeded {
			s.samples++
		}
		if s.looked != nil {
			s.looked(s.samples)
		}
		rest(ctx, sampleEvery)
	}
}

// over notes a violation, once however often it is seen.
func (s *sampler) over(rule string) {
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	if !s.seen[rule] {
		s.seen[rule] = true
		s.found = append(s.found, violation{overstep, rule, nil})
	}
}
