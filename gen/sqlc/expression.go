package sqlc

import (
	"slices"

	"github.com/hegner123/modulagen/gen/model"
)

// expressionType finds the type of a part of a query by itself, whose names are
// those of all its tables. Its name is left empty.
func (s scope) expressionType(e span) (UserValue, bool) {
	if e.from >= e.to {
		return UserValue{}, false
	}
	s.code = s.code[:e.to]
	p := &parser{scope: s, at: e.from}
	q := &query{}
	for called, d := range s.tables {
		q.from = append(q.from, &relation{called: called, datatype: d, null: s.outer})
	}
	n := p.expression(q, 0)
	if p.at != e.to {
		return UserValue{}, false
	}
	v := (&typer{p: p, q: &written{}, found: map[*node]UserValue{}}).typ(n)
	return v, v.known()
}

// known reports whether a value has a type that a field may have.
func (v UserValue) known() bool {
	return v.Type != "" && v.Type != null && v.Type != argument && v.Type != fraction
}

// output returns the expression of the list that a column of the result comes from.
func (q *written) output(name string) *node {
	i := slices.Index(q.top.names, name)
	if i < 0 {
		return nil
	}
	return q.top.items[i]
}

// outputType is the type of a column of the result.
func (q *written) outputType(name string) UserValue {
	i := slices.Index(q.top.names, name)
	if i < 0 {
		return UserValue{}
	}
	return q.typer.output(q.top, i)
}

// decimals returns the decimal column that a column of the result is made of.
func (q *written) decimals(name string) *model.Field {
	if n := q.output(name); n != nil {
		return q.typer.decimalsIn(n)
	}
	return nil
}
