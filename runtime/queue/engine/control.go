package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// The topics of a queue, beside its name, under which new work is announced.
func controlTopic(name string) string { return name + "/control" }

func endedTopic(name string) string { return name + "/ended" }

// CancelRow cancels a row that is ready or running. Generated code calls it.
func CancelRow[R any](ctx context.Context, c *core.Conn, spec *Spec[R], id any) error {
	args := arguments(c.DB(), 0)
	args[protocol.ArgID], args[protocol.ArgError] = id, "cancelled"
	n, err := changingOne(ctx, c, spec, &spec.Statements.Cancel, id, args)
	if err != nil {
		return err
	}
	if n == 0 {
		return notCancelled(ctx, c, spec, id)
	}
	c.Announce(controlTopic(spec.Name))
	c.Announce(endedTopic(spec.Name))
	return nil
}

// notCancelled returns why a row could not be cancelled.
func notCancelled[R any](ctx context.Context, c *core.Conn, spec *Spec[R], id any) error {
	row, err := one(ctx, c, spec, id)
	if err != nil {
		return err
	}
	why := queue.ErrEnded
	if spec.Claimed(row).State == spec.States.Running { // Cancel leaves no other running row
		why = queue.ErrBegun
	}
	return fmt.Errorf("%s %v: %w", spec.Name, id, why)
}

// RetryRow makes a row ready to run now that has ended or waits. A row that has ended
// needs its unique key again. Generated code calls it.
func RetryRow[R any](ctx context.Context, c *core.Conn, spec *Spec[R], id any) error {
	if spec.Statements.KeyHolder.Text[0] == "" {
		return makeReady(ctx, c, spec, id)
	}
	return c.InTx(ctx, func(c *core.Conn) error {
		if err := reclaimKey(ctx, c, spec, id); err != nil {
			return err
		}
		return raced(makeReady(ctx, c, spec, id))
	})
}

func makeReady[R any](ctx context.Context, c *core.Conn, spec *Spec[R], id any) error {
	args := arguments(c.DB(), 0)
	args[protocol.ArgID] = id
	n, err := changingOne(ctx, c, spec, &spec.Statements.RetryEnded, id, args)
	if err != nil {
		return err
	}
	if n == 0 {
		return missed(ctx, c, spec, id, queue.ErrRunning)
	}
	c.Announce(spec.Name)
	return nil
}

// SetPriority changes the priority of a row. Generated code calls it.
func SetPriority[R any](ctx context.Context, c *core.Conn, spec *Spec[R], id any, priority int64) error {
	args := arguments(c.DB(), 0)
	args[protocol.ArgID], args[protocol.ArgPriority] = id, priority
	n, err := changingOne(ctx, c, spec, &spec.Statements.Priority, id, args)
	if err == nil && n == 0 {
		err = missed(ctx, c, spec, id, nil)
	}
	return err
}

// missed returns the error of a change that changed no row.
func missed[R any](ctx context.Context, c *core.Conn, spec *Spec[R], id any, otherwise error) error {
	if _, err := one(ctx, c, spec, id); err != nil {
		return err
	}
	if otherwise == nil {
		return nil
	}
	return fmt.Errorf("%s %v: %w", spec.Name, id, otherwise)
}

func one[R any](ctx context.Context, c *core.Conn, spec *Spec[R], id any) (*R, error) {
	row, err := core.One(ctx, c, &spec.Statements.Get, []any{id}, func(row *R) []any { return spec.Fields(row, nil) })
	if err != nil {
		return nil, fmt.Errorf("queue: %s %v: %w", spec.Name, id, err)
	}
	return &row, nil
}

// Pause stops all processes from claiming jobs of the named queues, or of all with
// none named. Generated code calls it.
func Pause[R any](ctx context.Context, c *core.Conn, spec *Spec[R], queues []string) error {
	return setPaused(ctx, c, spec, queues, true)
}

// Resume reverts Pause. Generated code calls it.
func Resume[R any](ctx context.Context, c *core.Conn, spec *Spec[R], queues []string) error {
	return setPaused(ctx, c, spec, queues, false)
}

// setPaused pauses or resumes the named queues, or all of them. Resuming all also
// resumes those that were paused by name.
func setPaused[R any](ctx context.Context, c *core.Conn, spec *Spec[R], queues []string, off bool) error {
	for _, q := range queues {
		if !slices.ContainsFunc(spec.Queues, func(n Name) bool { return n.Name == q }) {
			return fmt.Errorf("queue: %s has no queue %q", spec.Name, q)
		}
	}
	switches := make([]string, 0, len(queues)+1)
	for _, q := range queues {
		switches = append(switches, pauseKey(spec.Name, q))
	}
	if len(queues) == 0 {
		switches = append(switches, pauseKey(spec.Name, ""))
		for _, q := range spec.Queues {
			if !off {
				switches = append(switches, pauseKey(spec.Name, q.Name))
			}
		}
	}
	slices.Sort(switches) // in order, so that two callers cannot deadlock
	err := c.InTx(ctx, func(c *core.Conn) error {
		for _, s := range switches {
			args := limitArguments(s)
			args[protocol.ArgPaused] = off
			if _, err := core.Exec(ctx, c, &spec.Statements.AddLimit, args); err != nil {
				return err
			}
			if _, err := core.Exec(ctx, c, &spec.Statements.SetPaused, args); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.Announce(controlTopic(spec.Name))
	c.Announce(spec.Name)
	return nil
}
