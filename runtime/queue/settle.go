package queue

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// settle hands the end of a claim over to be written.
func (e *engine) settle(c *claim, end outcome) {
	result, _, _ := c.handle.settled(nil)
	e.settler.add(settlement{c, end, result})
}

// settleAll writes ends until ctx is over. What cannot be written is tried
// again, for as long as that takes: the fence tells whether it still counts.
func (e *engine) settleAll(ctx context.Context) {
	wait := time.Duration(0)
	for {
		if wait == 0 {
			select {
			case <-e.settler.signal:
			case <-ctx.Done():
				return
			}
		} else {
			sleep(ctx, nil, wait)
		}
		for ctx.Err() == nil {
			batch := e.settler.take()
			if len(batch) == 0 {
				wait = 0
				break
			}
			left, err := e.write(ctx, batch)
			if err != nil {
				e.settler.back(left)
				wait = min(max(2*wait, 20*time.Millisecond), time.Second)
				if ctx.Err() == nil {
					e.opts.Logger.Error("results not written yet", "queue", e.shape.name, "jobs", len(left), "error", err)
				}
				break
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// write writes ends, those of one form at a time, and gives those that it could
// not write with the error.
func (e *engine) write(ctx context.Context, batch []settlement) (left []settlement, err error) {
	if err := e.writeReports(ctx, batch); err != nil {
		return batch, err
	}
	groups := map[*store.Statement][]settlement{}
	var order []*store.Statement
	for _, s := range batch {
		st := e.statementOf(s)
		if groups[st] == nil {
			order = append(order, st)
		}
		groups[st] = append(groups[st], s)
	}
	for i, st := range order {
		if err := e.writeGroup(ctx, st, groups[st]); err != nil {
			for _, later := range order[i:] {
				left = append(left, groups[later]...)
			}
			return left, err
		}
	}
	return nil, nil
}

func (e *engine) statementOf(s settlement) *store.Statement {
	st := e.shape.st
	switch s.end.verb {
	case toDone:
		if s.result != nil {
			return &st.Finish
		}
		return &st.Complete
	case toRetry:
		return &st.Retry
	case toSnooze:
		return &st.Snooze
	case toRelease, toPark:
		return &st.Release
	case toDead:
		return &st.Bury
	}
	return &st.Abandon
}

// writeGroup writes ends of one form. One that no column can hold must not keep
// the others from being written.
func (e *engine) writeGroup(ctx context.Context, st *store.Statement, group []settlement) error {
	written, err := e.tryGroup(ctx, st, group)
	if errors.Is(err, store.ErrInvalid) {
		if len(group) == 1 {
			e.log(group[0].claim).Error("result not written: it will run again when its lease ends", "error", err)
			e.untrack(group[0].claim)
			return nil
		}
		for _, s := range group {
			if err := e.writeGroup(ctx, st, []settlement{s}); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i, s := range group {
		e.written(s, written[i])
	}
	e.notify(ctx, group)
	return nil
}

// tryGroup writes ends of one form, with their effects, and reports which of the
// claims this process still had.
func (e *engine) tryGroup(ctx context.Context, st *store.Statement, group []settlement) (written []bool, err error) {
	claims := make([]*claim, len(group))
	for i, s := range group {
		claims[i] = s.claim
	}
	err = e.changing(ctx, e.db.Conn(), func(c *store.Conn) ([]any, error) {
		if st == &e.shape.st.Complete {
			written, err = e.change(ctx, c, st, claims, 0)
		} else {
			written, err = e.endEach(ctx, c, st, group)
		}
		if err != nil {
			return nil, err
		}
		return idsOf(claims, written), nil
	})
	return written, err
}

func (e *engine) endEach(ctx context.Context, c *store.Conn, st *store.Statement, group []settlement) ([]bool, error) {
	touched, err := store.ExecEach(ctx, c, st, len(group), func(i int) []any { return e.endArguments(group[i]) })
	if err != nil {
		return nil, err
	}
	written := make([]bool, len(group))
	for i, n := range touched {
		written[i] = n > 0
	}
	return written, nil
}

func (e *engine) endArguments(s settlement) []any {
	args := arguments(e.db, s.end.delay)
	args[argID], args[argEpoch] = s.claim.ID, s.claim.Epoch
	args[argResult] = s.result
	if s.end.delay > 0 {
		args[argHold] = HoldTime
	}
	if s.end.verb == toPark {
		args[argHold] = holdKind
	}
	switch s.end.verb {
	case toRetry, toDead, toCancelled, toPark:
		text := e.errorText(s.end.err)
		args[argError] = text
		args[argErrors] = history(s.claim.Errors, s.claim.Attempt, text, e.db.Clock())
	}
	return args
}

// errorText is what of an error is kept on the row.
func (e *engine) errorText(err error) string {
	text := err.Error()
	for _, mark := range []error{errDiscard, errCancel} {
		text = strings.TrimPrefix(text, mark.Error()+": ")
	}
	return fit(clean(text), min(e.shape.errorMax, maxError))
}

// written takes note of an end that was written, or refused by the fence.
func (e *engine) written(s settlement, ok bool) {
	e.untrack(s.claim)
	if !ok {
		e.log(s.claim).Warn("result refused: the lease was lost", "error", s.end.err)
		e.emit(s.claim, LeaseLost, s.end)
		return
	}
	l := e.log(s.claim)
	switch s.end.verb {
	case toRetry:
		l.Warn("job failed", "error", s.end.err, "again_in", s.end.delay)
	case toDead:
		l.Error("job is dead", "error", s.end.err)
	case toPark:
		l.Warn("job left for another program", "error", s.end.err)
	case toCancelled:
		l.Info("job cancelled by its handler", "error", s.end.err)
	}
	e.emit(s.claim, eventOf[s.end.verb], s.end)
}

// notify wakes those who wait for what a group's writing makes possible.
func (e *engine) notify(ctx context.Context, group []settlement) {
	again := false
	for _, s := range group {
		again = again || s.end.verb == toRetry || s.end.verb == toSnooze || s.end.verb == toRelease
	}
	if again {
		e.db.Conn().Announce(e.shape.name)
	}
	e.ended.announce()
	e.releaseAfter(ctx, group)
}

// completed takes note of a job that its handler has completed in a transaction.
func (e *engine) completed(c *claim) {
	s := settlement{claim: c, end: outcome{verb: toDone}}
	e.untrack(c)
	e.emit(c, Done, s.end)
	e.notify(e.handlers, []settlement{s})
}

// completeIn completes a job within a transaction, and writes its last progress.
func (e *engine) completeIn(ctx context.Context, conn *store.Conn, c *claim, result json.RawMessage) error {
	if err := e.report(ctx, conn, []*claim{c}); err != nil {
		return err
	}
	return e.changing(ctx, conn, func(conn *store.Conn) ([]any, error) {
		if result != nil {
			s := settlement{c, outcome{verb: toDone}, result}
			n, err := store.Exec(ctx, conn, &e.shape.st.Finish, e.endArguments(s))
			return []any{c.ID}, stillOurs(n > 0, err)
		}
		ok, err := e.change(ctx, conn, &e.shape.st.Complete, []*claim{c}, 0)
		return []any{c.ID}, stillOurs(err == nil && ok[0], err)
	})
}

func stillOurs(ok bool, err error) error {
	if err == nil && !ok {
		return ErrLeaseLost
	}
	return err
}

// writeReports writes the progress of claims that have something new to say.
func (e *engine) writeReports(ctx context.Context, batch []settlement) error {
	claims := make([]*claim, len(batch))
	for i, s := range batch {
		claims[i] = s.claim
	}
	return e.report(ctx, e.db.Conn(), claims)
}

// writeOut writes the ends that wait, and does not give up at once when the
// database is busy.
func (e *engine) writeOut(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.opts.StopTimeout)
	defer cancel()
	for {
		batch := e.settler.take()
		if len(batch) == 0 {
			return nil
		}
		left, err := e.write(ctx, batch)
		if err == nil {
			continue
		}
		e.settler.back(left)
		sleep(ctx, nil, 50*time.Millisecond)
		if ctx.Err() != nil {
			return err
		}
	}
}
