package lua

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	vm "github.com/yuin/gopher-lua"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// config is the configuration of a job whose action_type is plugin.
type config struct {
	Plugin   string     `json:"plugin_name"`
	Function string     `json:"function"`
	Args     store.JSON `json:"args,omitempty"`
}

// action runs functions of plugins.
type action struct {
	plugins map[string]*plugin
	host    *host
}

// Provide reads the plugins. A plugin that cannot be used is refused where a job names it, and
// lets the others run.
func (s *Source) Provide(p *project.Project, client *egress.Client) (cron.Action, error) {
	plugins, err := s.load()
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		broken := plugins[name].err
		if broken == nil {
			broken = plugins[name].known(p)
			plugins[name].err = broken
		}
		if broken != nil && s.opts.Logger != nil {
			s.opts.Logger.Error("a plugin cannot be used", "plugin", name, "error", broken)
		}
	}
	return &action{plugins, newHost(s.opts, p, client)}, nil
}

// known returns which of the manifest's datatypes, kinds and caches the project lacks.
func (p *plugin) known(in *project.Project) error {
	var wrong []error
	missing := func(key, what, name string, known []string) {
		wrong = append(wrong, fmt.Errorf("%s: %s: the project has no %s %s%s", p.manifestName(), key, what, printable(name), meant(name, known)))
	}
	for _, name := range slices.Sorted(maps.Keys(p.manifest.datatypes)) {
		if d := in.Datatype(name); d == nil || d.Rows == nil {
			missing("datatypes", "datatype", name, in.Names(func(d *project.Datatype) bool { return d.Rows != nil }))
		}
	}
	var kinds []string
	for i := range in.Datatypes {
		for kind := range in.Datatypes[i].Kinds {
			kinds = append(kinds, kindName(in.Datatypes[i].Name, kind))
		}
	}
	for _, name := range p.manifest.enqueue {
		if !slices.Contains(kinds, name) {
			missing("enqueue", "kind of jobs", name, kinds)
		}
	}
	caches := in.Names(func(d *project.Datatype) bool { return d.Cache != nil })
	for _, name := range p.manifest.cache {
		if !slices.Contains(caches, name) {
			missing("cache", "cache", name, caches)
		}
	}
	return errors.Join(wrong...)
}

// kindName is a kind of jobs as manifests name it.
func kindName(queue, kind string) string {
	if kind == "" {
		return queue
	}
	return queue + "/" + kind
}

// Check refuses a plugin or a function that is not there, and a plugin that cannot be used.
func (a *action) Check(text store.JSON) error {
	_, _, err := a.configured(text)
	return err
}

func (a *action) configured(text store.JSON) (*plugin, config, error) {
	c, err := cron.Decode[config](text)
	if err != nil {
		return nil, c, err
	}
	p, ok := a.plugins[c.Plugin]
	if !ok {
		known := slices.Collect(maps.Keys(a.plugins))
		return nil, c, &cron.ConfigError{Path: "plugin_name", Problem: fmt.Sprintf("is %q, which is no plugin%s", printable(c.Plugin), meant(c.Plugin, known))}
	}
	return p, c, p.callable(c.Function)
}

// callable returns why jobs cannot call a function.
func (p *plugin) callable(function string) error {
	if p.err != nil {
		return &cron.ConfigError{Path: "plugin_name", Problem: fmt.Sprintf("is %s, which cannot be used: %s", p.name, p.err)}
	}
	known, of := p.main.functions, p.main.shown
	if p.manifest.functions != nil {
		known, of = p.manifest.functions, p.manifestName()
	}
	if !slices.Contains(known, function) {
		return &cron.ConfigError{Path: "function", Problem: fmt.Sprintf("is %q, which %s does not have%s", printable(function), of, meant(function, known))}
	}
	return nil
}

// Run calls the function. Its results are written to the output.
func (a *action) Run(ctx context.Context, r *cron.Run) error {
	p, c, err := a.configured(r.Config)
	if err != nil {
		return queue.Discard(err)
	}
	_, err = a.host.execute(ctx, p, c, r, r)
	return err
}

// execute runs a function within the bounds.
func (h *host) execute(ctx context.Context, p *plugin, c config, r *cron.Run, out io.Writer) (*machine, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.opts.Time, errTime)
	defer cancel()
	m := newMachine(ctx, p, h, r, out)
	results, err := m.call(c.Function, c.Args)
	if err == nil {
		err = m.result(results)
	}
	if bound, ok := errors.AsType[*BoundError](err); ok {
		if bound.Where == "" {
			bound.Where = p.main.shown
		}
		return m, queue.Discard(bound)
	}
	return m, err
}

// result writes what the function returned. nil and a message are Lua's way of saying that it
// failed.
func (m *machine) result(values []vm.LValue) error {
	if len(values) == 0 || values[0] == vm.LNil {
		if len(values) > 1 && values[1] != vm.LNil {
			text, ok := joinable(values[1])
			if !ok {
				text = described(values[1])
			}
			return errors.New(cut(text, maxError))
		}
		return nil
	}
	text, ok := joinable(values[0])
	if !ok {
		encoded, err := m.resultJSON(values[0])
		if err != nil {
			return err
		}
		text = string(encoded)
	}
	_, err := fmt.Fprintln(m.out, cut(text, cron.MaxOutput))
	return err
}

// resultJSON encodes a result within the bounds, which are raised as errors of Lua.
func (m *machine) resultJSON(v vm.LValue) (text []byte, err error) {
	encode := m.L.NewFunction(func(*vm.LState) int {
		text, err = m.encode(v)
		return 0
	})
	m.L.Push(encode)
	raised := m.L.PCall(0, 0, nil)
	switch {
	case m.stopped != nil:
		return nil, m.stopped
	case raised != nil:
		return nil, m.raised(raised)
	case err != nil:
		return nil, fmt.Errorf("%s returned what cannot be written as JSON: %w", m.plugin.main.shown, err)
	}
	return text, nil
}
