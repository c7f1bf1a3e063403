package clockwork_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// running is a process that runs jobs by this machine's clock.
type running struct {
	t   *testing.T
	db  *generated.DB
	ran chan cron.Trigger // of the runs, as they begin
}

// start runs a second process's database until the test ends.
func (f *fixture) start() *running {
	r := &running{t: f.T, db: f.open(generated.Options{MaxConns: 4}), ran: make(chan cron.Trigger, 1000)}
	note := cron.Func(func(ctx context.Context, run *cron.Run, _ struct{}) error {
		select {
		case r.ran <- run.Trigger:
		default:
		}
		return nil
	})
	ctx, stop := context.WithCancel(f.Context())
	done := make(chan error, 1)
	go func() {
		done <- r.db.Run(ctx, generated.Workers{Cron: cron.Options{Actions: map[string]cron.Action{"record": note}}})
	}()
	f.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			f.Error(err)
		}
	})
	return r
}

// wait waits for a run.
func (r *running) wait(what string) cron.Trigger {
	r.t.Helper()
	select {
	case trigger := <-r.ran:
		return trigger
	case <-time.After(patience):
		r.t.Fatalf("%s: no run", what)
		return ""
	}
}

// A process that runs sees what others write: a row that SQL has added, another schedule where the
// next instant was far away, a run that is asked for.
func TestRunSeesChanges(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r, ctx := f.start(), t.Context()
		other := f.open(generated.Options{})
		j := must(other.CronJob.Create(ctx, job("yearly", "0 0 1 1 *")))
		must(other.CronJob.RunNow(ctx, j.ID))
		equal(t, "run", r.wait("RunNow"), cron.Manual)
		if _, err := other.Store().Conn().Exec(ctx, "UPDATE cron_job SET schedule = '* * * * * *'", nil); err != nil {
			t.Fatal(err)
		}
		equal(t, "run", r.wait("an UPDATE of the schedule"), cron.Scheduled)
		equal(t, "run", r.wait("the next second"), cron.Scheduled)
		if err := other.CronJob.Delete(ctx, j.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := other.CronJob.RunNow(ctx, j.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a deleted job: %v", err)
		}
	})
}
