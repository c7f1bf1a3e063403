//go:build unix

package main

import (
	"context"
	"fmt"
	"time"
)

// evidence is all that the tables and the diaries say.
type evidence struct {
	jobs      map[jobKey]*dossier
	abandoned []abandoned
	timeline  []change // of every job, in order, with the uses of the rate
	diaries
}

// jobKey names a job of either queue.
type jobKey struct {
	queue string // its table
	id    int64
}

// dossier is all that the tables say of one job.
type dossier struct {
	jobKey
	row      *jobRow     // nil: there is none
	enqueued *enqueuedOf // nil: no committed transaction says so
	cancels  int         // committed transactions that cancelled it
	history  []change    // in order, without how it was added
	added    *change
	audit    []audit // in order
}

// The rows, as plain SQL reads them.
type (
	jobRow struct {
		kind, key                    string
		token                        int64 // of its payload
		state                        string
		attempts, maxAttempts, epoch int64
		failure                      string
	}
	enqueuedOf struct {
		token  int64
		inside bool
	}
	change struct {
		queue                 string
		job                   int64
		kind, was, became     string
		epochWas, epoch       int64
		attemptsWas, attempts int64
		leaseWas, at          time.Time
		conn, counted         int64
	}
	audit struct {
		token, epoch, attempt int64
		did, process          string
	}
	abandoned struct{ first, tokens int64 }
)

func (e *evidence) of(queue string, id int64) *dossier {
	key := jobKey{queue, id}
	d := e.jobs[key]
	if d == nil {
		d = &dossier{jobKey: key}
		e.jobs[key] = d
	}
	return d
}

// collect reads the tables, when nobody writes to them any more, and the
// diaries.
func collect(ctx context.Context, r *reader, folder string) (*evidence, error) {
	e := &evidence{jobs: map[jobKey]*dossier{}}
	var err error
	if e.diaries, err = readDiaries(folder); err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context, *reader) error{e.readRows, e.readEnqueued, e.readHistory, e.readAudit, e.readOthers} {
		if err := read(ctx, r); err != nil {
			return nil, fmt.Errorf("read the evidence: %w", err)
		}
	}
	return e, nil
}

func (e *evidence) readRows(ctx context.Context, r *reader) error {
	for _, table := range tables {
		token := map[string]string{
			"sqlite":   "json_extract(payload, '$.token')",
			"postgres": "(payload->>'token')::bigint",
			"mysql":    "CAST(JSON_EXTRACT(payload, '$.token') AS SIGNED)",
		}[r.kind]
		query := "SELECT id, job_type, COALESCE(" + r.key() + ", ''), " + token +
			", state, attempts, max_attempts, queue_epoch, COALESCE(error, '') FROM " + table
		err := r.each(ctx, query, func(scan func(...any) error) error {
			var id int64
			var j jobRow
			if err := scan(&id, &j.kind, &j.key, &j.token, &j.state, &j.attempts, &j.maxAttempts, &j.epoch, &j.failure); err != nil {
				return err
			}
			e.of(table, id).row = &j
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *evidence) readEnqueued(ctx context.Context, r *reader) error {
	return r.each(ctx, "SELECT queue, job, token, inside FROM enqueued", func(scan func(...any) error) error {
		var queue string
		var id int64
		var o enqueuedOf
		if err := scan(&queue, &id, &o.token, &o.inside); err != nil {
			return err
		}
		e.of(queue, id).enqueued = &o
		return nil
	})
}

func (e *evidence) readHistory(ctx context.Context, r *reader) error {
	const query = "SELECT queue, job, kind, was, became, epoch_was, epoch, attempts_was, attempts, lease_was, conn, COALESCE(counted, 0), at FROM history ORDER BY id"
	return r.each(ctx, query, func(scan func(...any) error) error {
		var c change
		var lease, at moment
		err := scan(&c.queue, &c.job, &c.kind, &c.was, &c.became, &c.epochWas, &c.epoch, &c.attemptsWas, &c.attempts, &lease, &c.conn, &c.counted, &at)
		if err != nil {
			return err
		}
		c.leaseWas, c.at = lease.Time, at.Time
		e.add(c)
		return nil
	})
}

// add puts a change where it belongs.
func (e *evidence) add(c change) {
	e.timeline = append(e.timeline, c)
	switch {
	case c.counted > 0: // of no single job
	case c.was == "":
		e.of(c.queue, c.job).added = &c
	default:
		d := e.of(c.queue, c.job)
		d.history = append(d.history, c)
	}
}

func (e *evidence) readAudit(ctx context.Context, r *reader) error {
	return r.each(ctx, "SELECT queue, job, token, epoch, attempt, did, process FROM audit ORDER BY id", func(scan func(...any) error) error {
		var queue string
		var id int64
		var a audit
		if err := scan(&queue, &id, &a.token, &a.epoch, &a.attempt, &a.did, &a.process); err != nil {
			return err
		}
		d := e.of(queue, id)
		d.audit = append(d.audit, a)
		return nil
	})
}

func (e *evidence) readOthers(ctx context.Context, r *reader) error {
	err := r.each(ctx, "SELECT job FROM cancellation", func(scan func(...any) error) error {
		var id int64
		if err := scan(&id); err != nil {
			return err
		}
		e.of("job", id).cancels++
		return nil
	})
	if err != nil {
		return err
	}
	return r.each(ctx, "SELECT first, tokens FROM abandoned", func(scan func(...any) error) error {
		var a abandoned
		if err := scan(&a.first, &a.tokens); err != nil {
			return err
		}
		e.abandoned = append(e.abandoned, a)
		return nil
	})
}
