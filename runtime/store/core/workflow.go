package core

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
)

// Workflow is which values of a column, the states of a row, may follow one another.
type Workflow struct {
	Column int
	Moves  []Moves // by the state that they lead from
}

// Moves are the states that rows in the state From may move to.
type Moves struct {
	From string
	To   []string
}

// Allowed returns the states that follow a state.
func (w *Workflow) Allowed(from string) []string {
	for _, m := range w.Moves {
		if m.From == from {
			return m.To
		}
	}
	return nil
}

// sources returns the states that lead to a state, as a filter takes them.
func (w *Workflow) sources(to string) (from []any) {
	for _, m := range w.Moves {
		for _, t := range m.To {
			if t == to {
				from = append(from, m.From)
			}
		}
	}
	return from
}

// Move is an Update that sets the state of a row, if the state that it has when it is
// written leads there. Otherwise the error is a *store.MoveError.
func (t Table) Move(ctx context.Context, id any, to string, row any) error {
	w := t.s.Workflow
	where := AnyCond{leaf(filter.In, w.Column, w.sources(to)...)}
	err := t.UpdateIf(ctx, id, where, Assignments{{w.Column, to}}, row)
	if errors.Is(err, store.ErrStale) {
		return t.Forbidden(row, to)
	}
	return err
}

// Forbidden returns the error of a move that a row's state does not allow.
func (t Table) Forbidden(row any, to string) error {
	w := t.s.Workflow
	from, err := Plain(t.s.Fields(row, nil)[w.Column])
	if err != nil {
		return err
	}
	state, _ := from.(string)
	return &store.MoveError{Datatype: t.s.Name, Field: t.s.Columns[w.Column].Name, From: state, To: to, Allowed: w.Allowed(state)}
}
