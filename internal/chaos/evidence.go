//go:build unix

package main

import (
	"context"

	"github.com/hegner123/modulagen/internal/chaos/generated"
)

// evidence is all that the tables say.
type evidence struct {
	jobs      map[int64]*dossier // by the job's id
	abandoned []generated.Abandoned
}

// dossier is all that the tables say of one job.
type dossier struct {
	id       int64
	row      *generated.Job      // nil: there is none
	enqueued *generated.Enqueued // nil: no committed transaction says so
	cancels  int                 // committed transactions that cancelled it
	history  []generated.History // in order
	audit    []generated.Audit   // in order
}

func (e *evidence) of(job int64) *dossier {
	d := e.jobs[job]
	if d == nil {
		d = &dossier{id: job}
		e.jobs[job] = d
	}
	return d
}

// collect reads the tables, when nobody writes to them any more.
func collect(ctx context.Context, db *generated.DB) (*evidence, error) {
	e := &evidence{jobs: map[int64]*dossier{}}
	for row, err := range db.Job.All(ctx, generated.JobQuery{}) {
		if err != nil {
			return nil, err
		}
		e.of(int64(row.ID)).row = row
	}
	for row, err := range db.Enqueued.All(ctx, generated.EnqueuedQuery{}) {
		if err != nil {
			return nil, err
		}
		e.of(row.Job).enqueued = row
	}
	for row, err := range db.History.All(ctx, generated.HistoryQuery{}) {
		if err != nil {
			return nil, err
		}
		d := e.of(row.Job)
		d.history = append(d.history, *row)
	}
	for row, err := range db.Audit.All(ctx, generated.AuditQuery{}) {
		if err != nil {
			return nil, err
		}
		d := e.of(row.Job)
		d.audit = append(d.audit, *row)
	}
	for row, err := range db.Cancellation.All(ctx, generated.CancellationQuery{}) {
		if err != nil {
			return nil, err
		}
		e.of(row.Job).cancels++
	}
	for row, err := range db.Abandoned.All(ctx, generated.AbandonedQuery{}) {
		if err != nil {
			return nil, err
		}
		e.abandoned = append(e.abandoned, *row)
	}
	return e, nil
}
