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
	db *generated.DB
	s  settings
}

// work runs jobs until ctx ends.
func work(ctx context.Context, db *generated.DB, s settings, log *slog.Logger) error {
	return db.Run(ctx, generated.Workers{
		Job: handlers{db, s},
		JobOptions: queue.Options{
			Concurrency: 16,
			Lease:       s.Lease,
			StopTimeout: s.Lease,
			Backoff:     func(int, error) time.Duration { return 20 * time.Millisecond },
			Logger:      log,
		},
	})
}

func (h handlers) Inside(ctx context.Context, j *generated.InsideJob) error {
	if err := h.before(ctx, j.Row, j.Payload.Token); err != nil {
		return err
	}
	return h.db.Tx(ctx, func(tx *generated.Tx) error {
		if err := h.audit(ctx, &tx.Audit, j.Row, j.Payload.Token, generated.AuditDidEffect); err != nil {
			return err
		}
		return j.CompleteTx(ctx, tx)
	})
}

func (h handlers) Beside(ctx context.Context, j *generated.BesideJob) error {
	if err := h.before(ctx, j.Row, j.Payload.Token); err != nil {
		return err
	}
	return h.audit(ctx, &h.db.Audit, j.Row, j.Payload.Token, generated.AuditDidEffect)
}

// before does what comes before a job's success: work that takes its time, and
// the results that are none. Each is audited before it is given.
func (h handlers) before(ctx context.Context, row *generated.Job, token int64) error {
	p := planOf(h.s.Seed, token, h.s.Lease)
	rest(ctx, p.work)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	did, result := generated.AuditDidFailed, errPlanned
	switch {
	case p.discards:
		did, result = generated.AuditDidDiscarded, queue.Discard(errGivesUp)
	case p.snoozes && row.QueueEpoch == 1:
		did, result = generated.AuditDidSnoozed, queue.Snooze(snooze)
	case p.hopeless || row.Attempts <= int64(p.fails):
	default:
		return nil
	}
	if err := h.audit(ctx, &h.db.Audit, row, token, did); err != nil {
		return err
	}
	return result
}

func (h handlers) audit(ctx context.Context, t *generated.AuditTable, row *generated.Job, token int64, did generated.AuditDid) error {
	_, err := t.Create(ctx, generated.AuditNew{
		Job: int64(row.ID), Token: token, Epoch: row.QueueEpoch, Attempt: row.Attempts, Did: did, Process: h.s.name(),
	})
	return err
}
