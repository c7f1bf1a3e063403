// Package publish makes rows published, for the methods of datatypes that have
//
//	publish: {status: status, publish_date: publish_date}
//
// Generated code calls it; a program calls the methods Publish, Unpublish, Schedule and
// PublishDue of a table.
//
// A row is published while its status is the option for it. Its publish date is when it
// was published first, or, of a scheduled row, when it is to be. Each method is one
// conditional write of the state that it has read: where another process changes the row in
// between, it looks again.
package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec describes which rows of a datatype are published. Generated code has one for each
// datatype with the section.
type Spec struct {
	Rows                        *core.Spec
	Status, Date                int    // columns
	Published, Draft, Scheduled string // values of Status; Scheduled is empty where there is none
}

// Batch is how many rows Due publishes in one transaction.
const Batch = 100

// rounds is how often a row may change between the look at it and the write.
const rounds = 8

// Publish makes the row with an id published and reads it into row.
func Publish(ctx context.Context, t core.Table, s *Spec, id, row any) error {
	return s.change(ctx, t, id, row, func(now time.Time, is state) (state, bool) {
		if is.date.IsZero() || is.date.After(now) {
			return state{s.Published, now}, is.status != s.Published
		}
		return state{s.Published, is.date}, is.status != s.Published
	})
}

// Unpublish makes a published or scheduled row a draft, and reads the row into row. One in
// another state stays as it is.
func Unpublish(ctx context.Context, t core.Table, s *Spec, id, row any) error {
	return s.change(ctx, t, id, row, func(_ time.Time, is state) (state, bool) {
		return state{s.Draft, is.date}, is.status == s.Published || is.status == s.Scheduled
	})
}

// Schedule has the row with an id become published at a moment, and reads it into row.
func Schedule(ctx context.Context, t core.Table, s *Spec, id any, at time.Time, row any) error {
	at = core.Moment(at)
	if at.IsZero() {
		return &store.ValidationError{Datatype: s.Rows.Name, Violations: []store.Violation{
			{Field: s.Rows.Columns[s.Date].Name, Rule: "required", Message: "is required of a scheduled row"},
		}}
	}
	return s.change(ctx, t, id, row, func(_ time.Time, is state) (state, bool) {
		return state{s.Scheduled, at}, is.status != s.Scheduled || !is.date.Equal(at)
	})
}

// state is what a row holds of its publishing.
type state struct {
	status string
	date   time.Time // zero: none
}

// change reads a row, asks decide for what it is to become and whether it has to, and writes
// that if the row still is as it was read.
func (s *Spec) change(ctx context.Context, t core.Table, id, row any, decide func(now time.Time, is state) (to state, write bool)) error {
	now, err := t.Conn().Now(ctx)
	if err != nil {
		return err
	}
	for range rounds {
		if err := t.Get(ctx, id, row); err != nil {
			return err
		}
		is, err := s.read(row)
		if err != nil {
			return err
		}
		to, write := decide(now, is)
		if !write {
			return nil
		}
		if !s.allows(is.status, to.status) {
			return t.Forbidden(row, to.status)
		}
		err = t.UpdateIf(ctx, id, s.holds(is), s.becomes(is, to), row)
		if !errors.Is(err, store.ErrStale) {
			return err
		}
	}
	return fmt.Errorf("store: %s: others change the row all the time: %w", s.Rows.Name, store.ErrBusy)
}

// allows reports whether a row may get another status; the workflow, if it is about that,
// has the moves.
func (s *Spec) allows(from, to string) bool {
	w := s.Rows.Workflow
	return from == to || w == nil || w.Column != s.Status || slices.Contains(w.Allowed(from), to)
}

// read returns the state of a row. A null is the zero value.
func (s *Spec) read(row any) (is state, err error) {
	places := s.Rows.Fields(row, nil)
	v, err := core.Plain(places[s.Status])
	if err != nil {
		return is, err
	}
	is.status, _ = v.(string)
	v, err = core.Plain(places[s.Date])
	is.date, _ = v.(time.Time)
	return is, err
}

// holds keeps the row if it has a state.
func (s *Spec) holds(is state) core.AnyCond {
	at := core.FieldOf[int64, time.Time](s.Date)
	dated := at.IsNull()
	if !is.date.IsZero() {
		dated = at.Eq(is.date)
	}
	return core.AnyCond{Filter: store.And(core.FieldOf[int64, string](s.Status).Eq(is.status), dated).Filter}
}

// becomes sets what differs in two states.
func (s *Spec) becomes(is, to state) core.Assignments {
	out := core.Assignments{{Column: s.Status, Value: to.status}}
	if !to.date.Equal(is.date) {
		out = append(out, core.Assignment{Column: s.Date, Value: to.date})
	}
	return out
}

// Due publishes the scheduled rows whose date has come, in transactions of at most Batch
// rows, or in the transaction that t is of, and returns how many. Rows that another process
// publishes at the same time are left to that one.
func Due(ctx context.Context, t core.Table, s *Spec) (total int64, err error) {
	now, err := t.Conn().Now(ctx)
	if err != nil {
		return 0, err
	}
	due := store.And(core.FieldOf[int64, string](s.Status).Eq(s.Scheduled), core.FieldOf[int64, time.Time](s.Date).Lte(now))
	for {
		n, err := t.UpdateSome(ctx, core.AnyCond{Filter: due.Filter}, core.Assignments{{Column: s.Status, Value: s.Published}}, Batch)
		if err != nil || n == 0 {
			return total, err
		}
		total += n
		if err := t.Conn().Yield(ctx); err != nil {
			return total, err
		}
	}
}
