//go:build unix

package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/internal/chaos/generated"
	"github.com/hegner123/modulagen/runtime/queue"
)

var (
	errPlanned = errors.New("fails as planned")
	errGivesUp = errors.New("gives up as planned")
)

const snooze = 100 * time.Millisecond

// handlers do what the plan of each job says.
type handlers struct {
	db    *generated.DB
	s     settings
	diary *diary
}

// work runs jobs until ctx ends.
func work(ctx context.Context, db *generated.DB, s settings, d *diary, log *slog.Logger) error {
	opts := queue.Options{
		Concurrency: 16,
		Lease:       s.Lease,
		StopTimeout: s.Lease,
		Backoff:     func(int, error) time.Duration { return 20 * time.Millisecond },
		Logger:      log,
	}
	h := handlers{db, s, d}
	return db.Run(ctx, generated.Workers{Job: h, JobOptions: opts, Task: tasks{h}, TaskOptions: opts})
}

// claimed is what the handlers of both queues need of a row.
type claimed struct {
	claimOf
	attempt int64
	token   int64
}

func ofJob(row *generated.Job, token int64) claimed {
	return claimed{claimOf{jobKey{"job", int64(row.ID)}, row.QueueEpoch}, row.Attempts, token}
}

func (h handlers) Inside(ctx context.Context, j *generated.InsideJob) error {
	c := ofJob(j.Row, j.Payload.Token)
	if err := h.before(ctx, c); err != nil {
		return err
	}
	return h.noted(c, h.db.Tx(ctx, func(tx *generated.Tx) error {
		if err := c.audit(ctx, &tx.Audit, generated.AuditDidEffect, h.s); err != nil {
			return err
		}
		return j.CompleteTx(ctx, tx)
	}))
}

func (h handlers) Beside(ctx context.Context, j *generated.BesideJob) error {
	return h.beside(ctx, ofJob(j.Row, j.Payload.Token))
}

// beside audits the effect in a transaction of its own.
func (h handlers) beside(ctx context.Context, c claimed) error {
	if err := h.before(ctx, c); err != nil {
		return err
	}
	return h.noted(c, c.audit(ctx, &h.db.Audit, generated.AuditDidEffect, h.s))
}

// tasks handles the kinds that are under limits.
type tasks struct{ handlers }

func ofTask(row *generated.Task, token int64) claimed {
	return claimed{claimOf{jobKey{"task", int64(row.ID)}, row.QueueEpoch}, row.Attempts, token}
}

func (h tasks) Once(ctx context.Context, j *generated.OnceJob) error {
	return h.beside(ctx, ofTask(j.Row, j.Payload.Token))
}

func (h tasks) Capped(ctx context.Context, j *generated.CappedJob) error {
	return h.beside(ctx, ofTask(j.Row, j.Payload.Token))
}

func (h tasks) Paced(ctx context.Context, j *generated.PacedJob) error {
	return h.beside(ctx, ofTask(j.Row, j.Payload.Token))
}

// before does what comes before a job's success: work that takes its time, and
// the results that are none. Each is audited before it is given.
func (h handlers) before(ctx context.Context, c claimed) error {
	p := planOf(h.s.Seed, c.token, h.s.Lease)
	rest(ctx, p.work)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	did, result := generated.AuditDidFailed, errPlanned
	switch {
	case p.discards:
		did, result = generated.AuditDidDiscarded, queue.Discard(errGivesUp)
	case p.snoozes && c.epoch == 1:
		did, result = generated.AuditDidSnoozed, queue.Snooze(snooze)
	case p.hopeless || c.attempt <= int64(p.fails):
	default:
		return nil
	}
	if err := c.audit(ctx, &h.db.Audit, did, h.s); err != nil {
		return h.noted(c, err)
	}
	return result
}

// noted notes in the diary that an error of the database ended a run.
func (h handlers) noted(c claimed, err error) error {
	if err != nil {
		h.diary.note(noteFailed, c.job.queue, c.job.id, c.epoch)
	}
	return err
}

func (c claimed) audit(ctx context.Context, t *generated.AuditTable, did generated.AuditDid, s settings) error {
	_, err := t.Create(ctx, generated.AuditNew{
		Queue: c.job.queue, Job: c.job.id, Token: c.token, Epoch: c.epoch, Attempt: c.attempt, Did: did, Process: s.name(),
	})
	return err
}
