package sqlc

import (
	"slices"

	"github.com/hegner123/modulagen/gen/model"
)

// change is that a query writes rows of a datatype.
type change struct {
	datatype *model.Datatype
	on       model.Writes
}

// changes returns what a part of a query writes itself.
func (q *query) changes() []change {
	var out []change
	add := func(r *relation, on model.Writes) {
		if r.datatype != nil && !slices.Contains(out, change{r.datatype, on}) {
			out = append(out, change{r.datatype, on})
		}
	}
	if len(q.from) == 0 {
		return nil
	}
	switch q.verb {
	case "insert":
		on := model.Creates
		if len(q.updates) > 0 {
			on |= model.Updates
		}
		add(q.from[0], on)
	case "replace":
		add(q.from[0], model.AllWrites)
	case "update":
		for _, s := range q.sets {
			add(s.table, model.Updates)
		}
		if len(q.sets) == 0 { // SET (a, b) = ...
			add(q.from[0], model.Updates)
		}
	case "delete":
		if len(q.targets) == 0 {
			add(q.from[0], model.Deletes)
		}
		for _, r := range q.from {
			if slices.Contains(q.targets, r.called) {
				add(r, model.Deletes)
			}
		}
	}
	return out
}

// withCascades adds what the database changes and deletes with the rows that are deleted.
func withCascades(reached []change) []change {
	for i := 0; i < len(reached); i++ {
		if reached[i].on&model.Deletes == 0 {
			continue
		}
		for _, c := range reached[i].datatype.Cascades {
			with := change{c.Datatype, model.Deletes}
			if c.Field.Reference != nil && c.SetsNull() {
				with.on = model.Updates
			}
			if !slices.Contains(reached, with) {
				reached = append(reached, with)
			}
		}
	}
	return reached
}

// bypassed says which effects a query does not run: those of what it writes, and
// of what the database changes and deletes with it.
func (q *written) bypassed() []string {
	var out []string
	for _, part := range q.typer.p.all {
		for _, c := range withCascades(part.changes()) {
			for _, e := range c.datatype.Effects {
				if e.On&c.on != 0 && e.Missed != "" {
					out = append(out, e.Missed)
				}
			}
		}
		out = append(out, part.unkept()...)
		out = append(out, part.alone()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unkept says which fields that the store keeps an UPDATE, or the update of an
// upsert, leaves behind: a moment of change and a version that it does not set, and a
// workflow that it passes by.
func (q *query) unkept() []string {
	var out []string
	sets := q.updates
	if q.verb == "update" {
		sets = q.sets
	}
	for _, c := range q.changes() {
		if c.on&model.Updates == 0 || q.verb == "replace" {
			continue
		}
		d := c.datatype
		for _, f := range d.Fields {
			set := assigns(sets, d, f)
			switch {
			case f.Touched && !set:
				out = append(out, "It changes "+d.Name+", and leaves "+f.Name+" as it was: set it to CURRENT_TIMESTAMP.")
			case f.Raised && !set:
				out = append(out, "It changes "+d.Name+", and leaves "+f.Name+" as it was, so that Update overwrites the change: set it to "+f.Name+" + 1.")
			case f.Moves != nil && set:
				out = append(out, "It sets "+f.Name+" of "+d.Name+", and nothing checks whether its workflow has such a move.")
			}
		}
	}
	return out
}

// alone says which fields a query sets without those that have to be set beside them.
func (q *query) alone() []string {
	var out []string
	for _, c := range q.changes() {
		for _, f := range c.datatype.Fields {
			for _, sets := range [][]assignment{q.sets, q.updates} {
				if f.Beside != nil && assigns(sets, c.datatype, f.Beside) && !assigns(sets, c.datatype, f) {
					out = append(out, "It sets "+f.Beside.Name+" of "+c.datatype.Name+" and not "+f.Name+", so that "+f.BesideWhy+".")
				}
			}
		}
	}
	return out
}

func assigns(sets []assignment, d *model.Datatype, f *model.Field) bool {
	return slices.ContainsFunc(sets, func(s assignment) bool { return s.table.datatype == d && s.column == f.Name })
}

// writes returns the names of the datatypes whose rows a query itself writes.
func (q *written) writes() []string {
	var out []string
	for _, part := range q.typer.p.all {
		for _, c := range part.changes() {
			out = append(out, c.datatype.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
