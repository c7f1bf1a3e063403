package lua

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store"
)

// Trial is what a run of a function took.
type Trial struct {
	Duration     time.Duration
	Instructions int64
	Memory       int64 // bytes that were allocated
	Calls        int   // of db, cache, http and enqueue
}

// Try calls a function of a plugin without a project: db and cache raise an error, enqueue
// writes what would be enqueued, and without a client http.request raises an error too. Output goes to out. A plugin or a
// function that is not there is cron.ErrConfig.
func (s *Source) Try(ctx context.Context, name, function string, args store.JSON, client *egress.Client, out io.Writer) (Trial, error) {
	plugins, err := s.load()
	if err != nil {
		return Trial{}, err
	}
	p, ok := plugins[name]
	if !ok {
		return Trial{}, &cron.ConfigError{Path: "plugin_name", Problem: fmt.Sprintf("is %q, which is no plugin%s", printable(name), meant(name, slices.Collect(maps.Keys(plugins))))}
	}
	if p.err != nil {
		return Trial{}, p.err
	}
	if err := p.callable(function); err != nil {
		return Trial{}, err
	}
	r := &cron.Run{Job: "trial", Due: time.Now(), Trigger: cron.Manual, Attempt: 1}
	m, err := newHost(s.opts, nil, client).execute(ctx, p, config{name, function, args}, r, out)
	if bound, ok := errors.AsType[*BoundError](err); ok {
		err = bound // nothing retries here
	}
	return Trial{time.Since(m.began), m.instructions, m.allocated, m.calls}, err
}
