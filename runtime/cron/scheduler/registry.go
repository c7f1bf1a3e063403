package scheduler

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/action"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// registry has the actions that this process knows, and its planner. There is one for each
// datatype of jobs on an open database.
type registry struct {
	db   *core.DB
	spec *Spec

	mu      sync.Mutex
	types   map[string]cron.Action
	planner *planner
	client  *egress.Client
	options bool        // types are those of the program's Options: it knows its own actions and plugins
	running []*registry // of the workers that run; of the registry that they share
}

type registryKey struct{ spec *Spec }

// registryOf returns the registry of jobs.
func registryOf(db *core.DB, s *Spec) *registry {
	return db.Shared(registryKey{s}, func() any { return &registry{db: db, spec: s} }).(*registry)
}

// use has the registry know the actions of a program, by which jobs are checked from now on, and returns
// one that has these for good: another Run or Drain of the process may have others. close closes what they
// have opened.
func (g *registry) use(o cron.Options) (own *registry, close func() error, err error) {
	client, err := egress.New(o.Egress)
	if err != nil {
		return nil, nil, err
	}
	types, end, err := action.Types(g.spec.Project(g.db), o, client)
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	own = &registry{db: g.db, spec: g.spec, types: types, planner: newPlanner(o.Location), client: client, options: true}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.types, g.planner, g.options = types, own.planner, true
	g.running = append(g.running, own)
	return own, func() error { g.leave(own); client.Close(); return end() }, nil
}

// leave removes the registry of workers that have ended.
func (g *registry) leave(own *registry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running = slices.DeleteFunc(slices.Clone(g.running), func(r *registry) bool { return r == own })
}

// known returns the actions and the planner. Without Options, as in a process that only edits
// jobs, the actions are those that every program has, and the zone of jobs without one is UTC.
func (g *registry) known() (map[string]cron.Action, *planner, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.types != nil {
		return g.types, g.planner, nil
	}
	client, err := egress.New(egress.Options{})
	if err != nil {
		return nil, nil, err
	}
	types, _, err := action.Types(g.spec.Project(g.db), cron.Options{}, client)
	if err != nil {
		return nil, nil, err
	}
	g.types, g.planner = types, newPlanner(time.UTC)
	return g.types, g.planner, nil
}

// find returns the action of a job or a run.
func (g *registry) find(actionType string, config []byte) (cron.Action, error) {
	types, _, err := g.known()
	if err != nil {
		return nil, err
	}
	return action.Find(types, actionType, config)
}

// transactional returns the action of a job if it is part of the transaction in which the job is due.
func (g *registry) transactional(j *Job) (cron.TxAction, bool) {
	a, err := g.find(j.ActionType, j.ActionConfig)
	if err != nil {
		return nil, false // the run fails with it
	}
	t, ok := a.(cron.TxAction)
	return t, ok
}

// check returns what is wrong with the action of a job, unless some of the workers that run here
// could perform it. A process without Options, as one that only edits jobs, accepts what those of
// another may permit: the run fails where they do not.
func (g *registry) check(j *Job) error {
	g.mu.Lock()
	running := g.running
	g.mu.Unlock()
	for _, r := range running {
		if r.checkAlone(j) == nil {
			return nil
		}
	}
	return g.checkAlone(j)
}

func (g *registry) checkAlone(j *Job) error {
	knowing := g.knowing() // first: workers that start meanwhile would refuse what find has not found
	a, err := g.find(j.ActionType, j.ActionConfig)
	if err == nil {
		err = a.Check(j.ActionConfig)
	}
	if !knowing {
		err = beyondLocal(err)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, action.ErrType):
		return &fault{"action_type", err}
	}
	return &fault{"action_config", err}
}

// beyondLocal removes the errors that the Options of another process may permit.
func beyondLocal(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var left []error
		for _, one := range joined.Unwrap() {
			left = append(left, beyondLocal(one))
		}
		return errors.Join(left...)
	}
	if wrong, ok := errors.AsType[*cron.ConfigError](err); ok && wrong.Local {
		return nil
	}
	return err
}

// knowing reports whether the actions are those of the program's Options.
func (g *registry) knowing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.options
}

// pinger requests the URLs of monitors, by the client of the program's actions.
func (g *registry) pinger() *action.Pings {
	g.mu.Lock()
	defer g.mu.Unlock()
	return action.Pinger(g.client)
}
