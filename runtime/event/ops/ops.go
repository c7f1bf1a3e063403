// Package ops decides which events a write of a row is. Generated code has one Spec for
// each datatype with events; what records events and what delivers them ask the same one.
package ops

import (
	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec is which events a datatype has.
type Spec struct {
	// On is the writes that are events of their own.
	On core.Op

	// Status is the column by which a row is published, and Published its value then. A write
	// that makes a row published that was not before is the event event.Publish. Fields
	// returns the places of a row's columns. With Status 0 there is no such event.
	Status    int
	Published string
	Fields    func(row any, buf []any) []any
}

// written are the events of writes, in the order of what follows from them.
var written = [...]struct {
	on core.Op
	op event.Op
}{{core.Created, event.Create}, {core.Updated, event.Update}, {core.Deleted, event.Delete}}

// Of returns the events of a change, in order: that of the write comes before
// event.Publish. The change has its rows, as an effect with Rows gets it.
func (s *Spec) Of(ch core.Change) []event.Op {
	var out []event.Op
	for _, w := range written {
		if ch.Op&s.On&w.on != 0 {
			out = append(out, w.op)
		}
	}
	if s.publishes(ch) {
		out = append(out, event.Publish)
	}
	return out
}

// publishes reports whether a row has become published. Of a change that a queue itself
// makes to a job there is no row before it: such a change never sets the column.
func (s *Spec) publishes(ch core.Change) bool {
	if s.Status == 0 || !s.published(ch.After) {
		return false
	}
	switch ch.Op {
	case core.Created:
		return true
	case core.Updated:
		return ch.Before != nil && !s.published(ch.Before)
	}
	return false
}

func (s *Spec) published(row any) bool {
	if row == nil {
		return false
	}
	v, err := core.Plain(s.Fields(row, nil)[s.Status])
	return err == nil && v == s.Published
}

// Has reports whether an event is one of the datatype's.
func (s *Spec) Has(op event.Op) bool {
	for _, w := range written {
		if w.op == op {
			return s.On&w.on != 0
		}
	}
	return op == event.Publish && s.Status != 0
}
