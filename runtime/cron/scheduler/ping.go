package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

const (
	// pingWithin is how long a monitor may take.
	pingWithin = 10 * time.Second
	// pingsAtOnce is how many monitors are requested at once.
	pingsAtOnce = 16
	// pingsEvery is how often it is asked whether any job has a URL, where nothing announces that one has.
	pingsEvery = 10 * time.Second
)

// pings requests the URLs by which monitors outside know that jobs run.
type pings struct {
	db     *core.DB
	spec   *Spec
	logger *slog.Logger
	send   func(ctx context.Context, url string, ok bool, output string) error

	sending sync.WaitGroup
	places  chan struct{} // of requests at once

	mu      sync.Mutex // for what follows, and not held while the database is asked
	asked   time.Time
	any     bool // job had a URL then
	changed bool // jobs were changed since
}

// fired notes that a job with a URL was fired.
func (p *pings) fired() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.any = time.Now(), true
}

// outdate notes that jobs were changed.
func (p *pings) outdate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed = true
}

// known reports whether some job had a URL when the database was asked, and whether it is to be asked
// again.
func (p *pings) known() (some, ask bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.any, p.changed || p.asked.IsZero() || time.Since(p.asked) >= pingsEvery
}

// none reports whether no job had a URL a moment ago, without asking the database.
func (p *pings) none() bool {
	if _, ok := p.spec.Columns["ping_url"]; !ok {
		return true
	}
	some, ask := p.known()
	return !some && !ask
}

// wanted reports whether some job has a URL: most projects have none, and need no job read.
func (p *pings) wanted(ctx context.Context) (bool, error) {
	column, ok := p.spec.Columns["ping_url"]
	if !ok {
		return false, nil
	}
	some, ask := p.known()
	if !ask {
		return some, nil
	}
	p.mu.Lock()
	p.changed = false
	p.mu.Unlock()
	has := store.Not(core.FieldOf[int64, string](column).IsNull())
	found, err := core.Bind(p.db.Conn(), p.spec.Rows).Exists(ctx, core.AnyCond{Filter: has.Filter})
	if err != nil {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.any = time.Now(), found
	return found, nil
}

// pinged reports to the monitor of the run's job how the run ended, once it has.
func (w *worker) pinged(ctx context.Context, row *RunRow, r *cron.Run, outcome error) {
	if !engine.Ends(ctx, outcome) {
		return
	}
	output := r.Output()
	if outcome != nil {
		output = outcome.Error()
	}
	w.pings.after(ctx, row, outcome == nil, output)
}

// after reports a run beside what else goes on: a slow monitor keeps neither the run under way nor the
// jobs waiting. Those that are sent are waited for when the workers end.
func (p *pings) after(ctx context.Context, row *RunRow, ok bool, output string) {
	if p.none() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingWithin)
	p.sending.Go(func() {
		defer cancel()
		select {
		case p.places <- struct{}{}:
			defer func() { <-p.places }()
		case <-ctx.Done(): // monitors are slow: the request below fails for that
		}
		if err := p.ping(ctx, row, ok, output); err != nil {
			p.logger.WarnContext(ctx, "cron: the monitor of a job could not be reached", "jobs", p.spec.Jobs, "job", row.JobName, "error", err)
		}
	})
}

// ping requests the URL of the run's job, if it has one.
func (p *pings) ping(ctx context.Context, row *RunRow, ok bool, output string) error {
	wanted, err := p.wanted(ctx)
	if err != nil || !wanted {
		return err
	}
	job := p.spec.Rows.Row()
	if err := core.Bind(p.db.Conn(), p.spec.Rows).Get(ctx, row.Job, job); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil // it was deleted meanwhile
		}
		return err
	}
	url := p.spec.JobOf(job).PingURL
	if url == "" {
		return nil
	}
	return p.send(ctx, url, ok, output)
}
