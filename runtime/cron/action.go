package cron

import (
	"context"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// ErrConfig is the error of an action's configuration that cannot be used. It is always a
// *ConfigError.
var ErrConfig = errors.New("cron: invalid configuration")

// ErrRunning is returned by RunNow where a run of the job is under way, and its overlap is skip.
var ErrRunning = errors.New("cron: a run of the job is under way")

// ConfigError says what is wrong in the configuration of an action.
type ConfigError struct {
	Path    string // of the value, such as headers.Accept; "" for the whole
	Problem string
	// Local is whether the Options of another process may permit it: an action or a plugin that this
	// one does not have, an address that it does not request.
	Local bool
}

// Error says where and what.
func (e *ConfigError) Error() string {
	if e.Path == "" {
		return "cron: the configuration " + e.Problem
	}
	return fmt.Sprintf("cron: the configuration's %s %s", e.Path, e.Problem)
}

// Is reports whether target is ErrConfig.
func (e *ConfigError) Is(target error) bool { return target == ErrConfig }

// Action is what jobs do. Its methods are called from many goroutines at once.
type Action interface {
	// Check returns what is wrong with a configuration, as *ConfigErrors. It is called when a job
	// is saved, and before each run.
	Check(config store.JSON) error
	// Run performs a run. The run has failed with any error; those of package queue
	// (queue.RetryAfter, queue.Discard, queue.Snooze ...) mean what they mean to a handler.
	Run(ctx context.Context, r *Run) error
}

// TxAction is an action that only writes to the database. Where a job is due, RunTx is called in
// the transaction that adds its run, which has then ended: both happen, or neither does. An error
// of RunTx undoes what it wrote, and is that of the run.
type TxAction interface {
	Action
	RunTx(ctx context.Context, c *core.Conn, r *Run) error
}

// Provider makes an action that needs to know the project, when workers start. A Provider that
// is an io.Closer is closed when they have ended.
type Provider interface {
	Provide(p *project.Project, client *egress.Client) (Action, error)
}

// Func makes an action of a function. C is the type of its configuration, a struct with tags of
// encoding/json: Decode says what is refused.
//
//	cron.Options{Actions: map[string]cron.Action{
//		"rebuild_index": cron.Func(func(ctx context.Context, r *cron.Run, config struct{ Full bool `json:"full"` }) error {
//			...
//		}),
//	}}
//
// A job runs it with action_type predefined and action_config {"action": "rebuild_index", "full": true}.
func Func[C any](fn func(ctx context.Context, r *Run, config C) error) Action {
	return function[C]{fn}
}

type function[C any] struct {
	fn func(ctx context.Context, r *Run, config C) error
}

func (f function[C]) Check(config store.JSON) error {
	_, err := Decode[C](config)
	return err
}

func (f function[C]) Run(ctx context.Context, r *Run) error {
	config, err := Decode[C](r.Config)
	if err != nil {
		return err
	}
	return f.fn(ctx, r, config)
}
