package engine

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/internal/columntext"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/handlererr"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// settler writes how claims ended, many at a time, and notifies those who wait for
// that.
type settler struct {
	*table
	buffer   *settleBuffer
	claims   *claimSet
	limiter  *limiter   // notified of jobs that end under a limit
	ended    *announcer // wakes Await
	observer *observer
	gather   gather
	wrote    time.Time // when the last ends began to be written
}

// settle queues the end of a claim to be written.
func (s *settler) settle(c *claim, end outcome) {
	result, _, _ := c.handle.End(nil)
	s.buffer.add(settlement{c, end, result})
}

// release releases a claim that has not started, as if it had not been claimed, and
// reports whether it had not.
func (s *settler) release(c *claim) bool {
	if !c.move(buffered, finished) {
		return false
	}
	c.row = nil // as in performer.end; no handler reads it any more
	s.settle(c, outcome{verb: toRelease})
	return true
}

// run writes ends until ctx ends. It retries those that cannot be written, for as
// long as that takes: the epoch decides whether they are still valid.
func (s *settler) run(ctx context.Context) {
	wait := time.Duration(0)
	for {
		if wait == 0 {
			select {
			case <-s.buffer.signal:
			case <-ctx.Done():
				return
			}
		} else {
			sleep(ctx, nil, wait)
		}
		for ctx.Err() == nil {
			s.waitForMore(ctx)
			batch := s.buffer.take()
			if len(batch) == 0 {
				wait = 0
				break
			}
			s.wrote = time.Now()
			left, err := s.write(ctx, batch)
			if err != nil {
				s.buffer.back(left)
				wait = min(max(2*wait, 20*time.Millisecond), time.Second)
				if ctx.Err() == nil {
					s.observer.logger.Error("results not written yet", "queue", s.shape.name, "jobs", len(left), "error", err)
				}
				break
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// waitForMore waits until enough ends wait, or the last were written long enough ago.
func (s *settler) waitForMore(ctx context.Context) {
	for ctx.Err() == nil {
		n, left := s.buffer.len(), s.gather.within-time.Since(s.wrote)
		if n == 0 || n >= s.gather.enough || left <= 0 {
			return
		}
		sleep(ctx, s.buffer.signal, left)
	}
}

// write writes ends, those with the same statement together. On an error it returns
// those that it could not write.
func (s *settler) write(ctx context.Context, batch []settlement) (left []settlement, err error) {
	groups := map[*core.Statement][]settlement{}
	var order []*core.Statement
	for _, one := range batch {
		st := s.statementOf(one)
		if groups[st] == nil {
			order = append(order, st)
		}
		groups[st] = append(groups[st], one)
	}
	for i, st := range order {
		if err := s.writeGroup(ctx, st, groups[st]); err != nil {
			for _, later := range order[i:] {
				left = append(left, groups[later]...)
			}
			return left, err
		}
	}
	return nil, nil
}

func (s *settler) statementOf(one settlement) *core.Statement {
	st := s.shape.st
	switch one.end.verb {
	case toDone:
		if one.result != nil {
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
		return &st.DeadLetter
	case toUnknown:
		return &st.SetUnknown
	}
	return &st.CancelRunning
}

// writeGroup writes ends with the same statement. If one of them cannot be stored in
// its column, the others are written.
func (s *settler) writeGroup(ctx context.Context, st *core.Statement, group []settlement) error {
	written, err := s.tryGroup(ctx, st, group)
	if errors.Is(err, store.ErrInvalid) {
		if len(group) == 1 {
			s.observer.log(group[0].claim).Error("result not written: when its lease ends, it runs again, or is unknown after BeginOnce", "error", err)
			s.claims.remove(group[0].claim)
			return nil
		}
		for _, one := range group {
			if err := s.writeGroup(ctx, st, []settlement{one}); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i, one := range group {
		s.written(one, written[i])
	}
	s.notify(ctx, group)
	return nil
}

// tryGroup writes ends with the same statement, and their effects, and reports which
// of the claims this process still had. The last progress of their handlers is written in
// the same transaction, over what the monitor may be writing meanwhile.
func (s *settler) tryGroup(ctx context.Context, st *core.Statement, group []settlement) (written []bool, err error) {
	claims := make([]*claim, len(group))
	for i, one := range group {
		claims[i] = one.claim
	}
	list := reports(claims)
	if len(list) == 0 {
		return s.end(ctx, s.db.Conn(), st, group, claims)
	}
	err = s.db.Conn().InTx(ctx, func(c *core.Conn) error {
		if err := s.writeProgress(ctx, c, list); err != nil {
			return err
		}
		written, err = s.end(ctx, c, st, group, claims)
		return err
	})
	return written, err
}

func (s *settler) end(ctx context.Context, c *core.Conn, st *core.Statement, group []settlement, claims []*claim) (written []bool, err error) {
	err = s.changing(ctx, c, func(c *core.Conn) ([]any, error) {
		if st == &s.shape.st.Complete {
			written, err = s.changeClaims(ctx, c, st, claims, 0)
		} else {
			written, err = s.endEach(ctx, c, st, group)
		}
		if err != nil {
			return nil, err
		}
		return idsOf(claims, written), nil
	})
	return written, err
}

func (s *settler) endEach(ctx context.Context, c *core.Conn, st *core.Statement, group []settlement) ([]bool, error) {
	touched, err := core.ExecEach(ctx, c, st, len(group), func(i int) []any { return s.endArguments(group[i]) })
	if err != nil {
		return nil, err
	}
	written := make([]bool, len(group))
	for i, n := range touched {
		written[i] = n > 0
	}
	return written, nil
}

func (s *settler) endArguments(one settlement) []any {
	args := arguments(s.db, one.end.delay)
	args[protocol.ArgID], args[protocol.ArgEpoch] = one.claim.ID, one.claim.Epoch
	args[protocol.ArgResult] = one.result
	if one.end.delay > 0 {
		args[protocol.ArgHold] = HoldTime
	}
	if one.end.verb == toPark {
		args[protocol.ArgHold] = protocol.HoldKind
	}
	switch one.end.verb {
	case toSnooze:
		if one.end.shown {
			args[protocol.ArgError] = s.errorText(one.end.err)
		}
	case toRetry, toDead, toCancelled, toPark, toUnknown:
		text := s.errorText(one.end.err)
		args[protocol.ArgError] = text
		args[protocol.ArgErrors] = history(one.claim.Errors, one.claim.Attempt, text, s.db.Clock())
	}
	return args
}

// errorText returns the text of an error as it is kept on the row.
func (s *settler) errorText(err error) string {
	text := err.Error()
	for _, mark := range []error{handlererr.ErrDiscarded, handlererr.ErrCancelled, handlererr.ErrUnknown} {
		text = strings.TrimPrefix(text, mark.Error()+": ")
	}
	return columntext.Cut(columntext.Storable(text), min(s.shape.errorMax, maxError))
}

// unknownLine is the log's line of a job that became unknown.
const unknownLine = "job is unknown: it may have done its work, and waits for a person to call Retry"

// written reports an end that was written, or not because its claim was lost.
func (s *settler) written(one settlement, ok bool) {
	s.claims.remove(one.claim)
	if !ok {
		s.observer.log(one.claim).Warn("result refused: the lease was lost", "error", one.end.err)
		s.observer.emit(one.claim, queue.LeaseLost, one.end)
		return
	}
	l := s.observer.log(one.claim)
	switch one.end.verb {
	case toRetry:
		l.Warn("job failed", "error", one.end.err, "again_in", one.end.delay)
	case toSnooze:
		if one.end.shown {
			l.Warn("job postponed", "error", one.end.err, "again_in", one.end.delay)
		}
	case toDead:
		l.Error("job is dead", "error", one.end.err)
	case toUnknown:
		l.Error(unknownLine, "error", one.end.err)
	case toPark:
		l.Warn("job left for another program", "error", one.end.err)
	case toCancelled:
		l.Info("job cancelled by its handler", "error", one.end.err)
	}
	s.observer.emit(one.claim, eventOf[one.end.verb], one.end)
}

// notify wakes those who wait for the ends of a group, or for the rows and limits
// that it frees.
func (s *settler) notify(ctx context.Context, group []settlement) {
	again := false
	for _, one := range group {
		again = again || one.end.verb == toRetry || one.end.verb == toSnooze || one.end.verb == toRelease
	}
	if again {
		s.db.Conn().Announce(s.shape.name)
	}
	s.ended.announce()
	s.limiter.releaseAfter(ctx, group)
}

// completed reports a job that its handler has completed in a transaction.
func (s *settler) completed(ctx context.Context, c *claim) {
	one := settlement{claim: c, end: outcome{verb: toDone}}
	s.claims.remove(c)
	s.observer.emit(c, queue.Done, one.end)
	s.notify(ctx, []settlement{one})
}

// completeIn completes a job within a transaction of its handler's, and writes its last
// progress.
func (s *settler) completeIn(ctx context.Context, conn *core.Conn, c *claim, result json.RawMessage) error {
	if err := s.writeProgress(ctx, conn, reports([]*claim{c})); err != nil {
		return err
	}
	return s.changing(ctx, conn, func(conn *core.Conn) ([]any, error) {
		if result != nil {
			one := settlement{c, outcome{verb: toDone}, result}
			n, err := core.Exec(ctx, conn, &s.shape.st.Finish, s.endArguments(one))
			return []any{c.ID}, stillOurs(n > 0, err)
		}
		ok, err := s.changeClaims(ctx, conn, &s.shape.st.Complete, []*claim{c}, 0)
		return []any{c.ID}, stillOurs(err == nil && ok[0], err)
	})
}

func stillOurs(ok bool, err error) error {
	if err == nil && !ok {
		return queue.ErrLeaseLost
	}
	return err
}

// flush writes the ends that wait. It retries while the database is busy, for at most
// a time.
func (s *settler) flush(ctx context.Context, most time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	for {
		batch := s.buffer.take()
		if len(batch) == 0 {
			return nil
		}
		left, err := s.write(ctx, batch)
		if err == nil {
			continue
		}
		s.buffer.back(left)
		sleep(ctx, nil, 50*time.Millisecond)
		if ctx.Err() != nil {
			return err
		}
	}
}
