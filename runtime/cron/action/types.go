package action

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/internal/near"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store"
)

// The action_types.
const (
	Predefined = "predefined"
	HTTP       = "http"
	Plugin     = "plugin"
	Job        = "job"
	Mail       = "mail"
	Webhook    = "webhook"
)

// Types returns the actions of a project by action_type. close closes what it opened. An error is
// an option that cannot be used.
//
// An action_type that the project has nothing for, such as mail without a mailbox, is an action
// whose Check says what it needs. Use Find to look one up.
func Types(p *project.Project, o cron.Options, client *egress.Client) (types map[string]cron.Action, close func() error, err error) {
	named, err := predefinedOf(p, o)
	if err != nil {
		return nil, nil, err
	}
	types = map[string]cron.Action{
		Predefined: named,
		HTTP:       &httpAction{db: p.DB, client: client, options: o.Egress},
		Job:        jobOf(p),
		Mail:       mailOf(p),
		Webhook:    webhookOf(p),
	}
	close = func() error { return nil }
	if o.Plugins == nil {
		types[Plugin] = absent{reason: "runs plugins, and this process has none: set cron.Options.Plugins, for which package lua has a Provider", local: true}
		return types, close, nil
	}
	if types[Plugin], err = o.Plugins.Provide(p, client); err != nil {
		return nil, nil, fmt.Errorf("cron: plugins: %w", err)
	}
	if c, ok := o.Plugins.(io.Closer); ok {
		close = c.Close
	}
	return types, close, nil
}

// ErrType is the error of an action_type that does not exist.
var ErrType = errors.New("cron: unknown action_type")

// Find returns the action that a job with an action_type and a configuration performs: of
// predefined, the one that the configuration names, which may be a cron.TxAction. An error is
// ErrType or cron.ErrConfig. It does not check the rest of the configuration.
func Find(types map[string]cron.Action, actionType string, config store.JSON) (cron.Action, error) {
	a := types[actionType]
	if a == nil {
		return nil, fmt.Errorf("%w %q%s", ErrType, actionType, meant(actionType, slices.Sorted(maps.Keys(types))))
	}
	if p, ok := a.(*predefined); ok {
		return p.find(config)
	}
	return a, nil
}

// meant is what a name probably was to be, and all that there are.
func meant(name string, known []string) string {
	list := "there are " + strings.Join(known, ", ")
	switch {
	case len(known) == 0:
		return "; there is none"
	case len(known) == 1:
		list = "there is " + known[0]
	}
	if best := near.Name(name, known); best != "" {
		return "; is " + best + " meant? " + strings.ToUpper(list[:1]) + list[1:]
	}
	return "; " + list
}

// absent is an action that the project cannot have, for a reason, or this process alone.
type absent struct {
	reason string
	local  bool
}

// Check returns the reason.
func (a absent) Check(store.JSON) error { return &cron.ConfigError{Problem: a.reason, Local: a.local} }

// Run returns the reason.
func (a absent) Run(context.Context, *cron.Run) error { return a.Check(nil) }

// wrong makes a ConfigError.
func wrong(path, format string, args ...any) error {
	return &cron.ConfigError{Path: path, Problem: fmt.Sprintf(format, args...)}
}

// listed are names in a sentence.
func listed(names []string) string { return " " + strings.Join(names, ", ") }
