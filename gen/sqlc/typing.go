package sqlc

import (
	"slices"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Types that an expression may have beside those of fields.
const (
	// fraction is a number that is not whole, such as an average: no field has
	// it. Its Scale says by how many digits SQLite's value is scaled, because it
	// was made of a decimal.
	fraction = "fraction"
	float    = "float"     // the field type
	null     = "null"      // the literal
	argument = "parameter" // whose type is what it meets
)

// typer finds the types of expressions. Its answers are the same for all
// databases; "" is one that it does not know.
type typer struct {
	p     *parser
	q     *written
	found map[*node]UserValue // one that is being looked for is not known
}

func (t *typer) typ(n *node) UserValue {
	if n == nil {
		return UserValue{}
	}
	v, ok := t.found[n]
	if !ok {
		t.found[n] = v
		v = t.find(n)
		t.found[n] = v
	}
	return v
}

func (t *typer) find(n *node) UserValue {
	switch n.op {
	case "number", "fraction", "text", "true", "false", "null", "parameter", nowWord, todayWord:
		return literalType(n)
	case "column":
		return t.column(n)
	case "bracket":
		return t.typ(n.args[0])
	case "sign":
		v := t.typ(n.args[0])
		v.Field, v.Datatype = nil, nil
		return v
	case "is", "exists":
		return UserValue{Type: "boolean"}
	case "and", "or", "not", "compare", "in", "between", "like":
		return UserValue{Type: "boolean", Null: n.sub != nil || t.anyNull(n.args)}
	case "+", "-", "*", "/", "%":
		return t.arithmetic(n)
	case "||":
		return UserValue{Type: "textarea", Null: t.anyNull(n.args)}
	case "case":
		return t.choice(n)
	case "select":
		return t.scalar(n.sub)
	case "cast":
		return t.cast(n)
	case "bits":
		return t.bits(n)
	case "call":
		return t.call(n)
	case "":
		if t.q.file != nil && slices.Equal(t.q.file.Databases, postgres) {
			return t.postgresOperator(n)
		}
	}
	return UserValue{}
}

// postgresOperator is the type of an operator that only PostgreSQL has, or has so.
func (t *typer) postgresOperator(n *node) UserValue {
	switch n.name {
	case "->>", "#>>":
		return UserValue{Type: "textarea", Null: true} // a member of a JSON document, as text
	case "@>", "<@", "?", "?|", "?&", "@@", "@?", "~", "~*", "!~", "!~*":
		return UserValue{Type: "boolean", Null: t.anyNull(n.args)}
	}
	return UserValue{}
}

func literalType(n *node) UserValue {
	switch n.op {
	case "text":
		return UserValue{Type: "textarea"}
	case "true", "false":
		return UserValue{Type: "boolean"}
	case "null":
		return UserValue{Type: null, Null: true}
	case "parameter":
		return UserValue{Type: argument, Null: n.star}
	case nowWord:
		return UserValue{Type: "datetime"}
	case todayWord:
		return UserValue{Type: "date"}
	}
	return UserValue{Type: n.op}
}

// anyNull reports whether one of some expressions may be null; of an expression
// that is not known it is assumed.
func (t *typer) anyNull(ns []*node) bool {
	return slices.ContainsFunc(ns, func(n *node) bool {
		if n.op == "row" {
			return t.anyNull(n.args)
		}
		v := t.typ(n)
		return v.Null || v.Type == ""
	})
}

// column looks a name up in its query and those around it.
func (t *typer) column(n *node) UserValue {
	for q := n.in; q != nil; q = q.parent {
		var found []UserValue
		unsure := false
		for _, r := range q.from {
			if n.of != "" && r.called != n.of || n.of == "" && r.apart {
				continue
			}
			v, has, known := t.of(r, n.name)
			unsure = unsure || !known
			if has {
				v.Null = v.Null || r.null
				found = append(found, v)
			}
		}
		if unsure || len(found) > 1 {
			return UserValue{}
		}
		if len(found) == 1 {
			return found[0]
		}
	}
	return UserValue{}
}

// of finds a column of a relation, and reports whether its columns are known.
func (t *typer) of(r *relation, name string) (v UserValue, has, known bool) {
	if d := r.datatype; d != nil {
		f := fieldNamed(d, name)
		if f == nil {
			return v, false, true
		}
		return UserValue{Type: f.Type, Scale: f.Scale, Field: f, Datatype: d, Null: !f.NotNull}, true, true
	}
	q, names := r.columns()
	if q == nil {
		return v, false, false
	}
	if slices.ContainsFunc(q.items, func(n *node) bool { return n.op == "star" }) {
		return v, false, false
	}
	for i := range q.items {
		called := q.names[i]
		if i < len(names) {
			called = names[i]
		}
		if called == name {
			return t.output(q, i), true, true
		}
	}
	return v, false, true
}

// output is the type of the i-th column of a query's result, of all its arms.
func (t *typer) output(q *query, i int) UserValue {
	v := t.typ(q.items[i])
	for _, arm := range q.arms {
		if i >= len(arm.items) {
			return UserValue{}
		}
		if next := t.typ(arm.items[i]); next.Type != "" {
			v = common(v, next)
		} else if !arm.reads(q) {
			return UserValue{}
		}
	}
	return v
}

// reads reports whether a query is about the result of another, as the second arm
// of a recursive one is about the first.
func (q *query) reads(of *query) bool {
	return slices.ContainsFunc(q.from, func(r *relation) bool { sub, _ := r.columns(); return sub == of })
}

// scalar is the type of a subquery that stands for a value: null where it has no
// row, unless it always has one.
func (t *typer) scalar(q *query) UserValue {
	if len(q.items) != 1 || q.items[0].op == "star" {
		return UserValue{}
	}
	v := t.output(q, 0)
	n := q.items[0]
	always := !q.grouped && q.having == nil && q.verb == "select" && aggregates(n) && len(q.others) <= 1
	v.Null = v.Null || !always
	return v
}

// aggregateNames are the functions that make one value of many rows.
var aggregateNames = []string{"count", "sum", "avg", "min", "max", "total", "group_concat", "string_agg", "array_agg", "json_agg", "jsonb_agg", "bool_and", "bool_or", "every", "stddev", "variance", "bit_and", "bit_or", "json_group_array", "json_group_object", "json_arrayagg", "json_objectagg"}

// aggregates reports whether an expression is made of one value for many rows.
func aggregates(n *node) bool {
	found := false
	n.walk(func(n *node) {
		found = found || n.op == "call" && !n.over && slices.Contains(aggregateNames, n.name)
	})
	return found
}

func numeric(v UserValue) bool {
	switch v.Type {
	case "number", "fraction", "decimal", float, "id", "reference", null, argument:
		return v.Type != "reference" && v.Type != "id" || v.kind() == check.Int
	}
	return false
}

// arithmetic is the type of a sum, a product and their kin: whole numbers stay
// whole on all databases.
func (t *typer) arithmetic(n *node) UserValue {
	a, b := t.typ(n.args[0]), t.typ(n.args[1])
	if !numeric(a) || !numeric(b) {
		return UserValue{}
	}
	out := UserValue{Null: a.Null || b.Null}
	if a.Type == argument || a.Type == null {
		a.Type = "number"
	}
	if b.Type == argument || b.Type == null {
		b.Type = "number"
	}
	is := func(name string) bool { return a.Type == name || b.Type == name }
	switch {
	case n.op == "%" && (is("decimal") || is(fraction) || is(float)), n.op == "/" && is("decimal"):
		return UserValue{}
	case n.op == "*" || n.op == "/":
		out.Scale = a.Scale + b.Scale
	case a.Scale != b.Scale:
		return UserValue{}
	default:
		out.Scale = a.Scale
	}
	switch {
	case is(float) && out.Scale == 0:
		out.Type = float
	case is(fraction), is(float):
		out.Type = fraction
	case is("decimal"):
		out.Type = "decimal"
	default:
		out.Type = "number"
	}
	if n.op == "/" || n.op == "%" {
		out.Null = out.Null || !t.nonzero(n.args[1])
	}
	return out
}

// nonzero reports whether an expression is a literal other than zero, with a sign or without.
func (t *typer) nonzero(n *node) bool {
	if n.op == "sign" {
		n = n.args[0]
	}
	return (n.op == "number" || n.op == "fraction") && !literal{text: n.name}.zero()
}

// common is the type of what is one of two values.
func common(a, b UserValue) UserValue {
	isNull := a.Null || b.Null
	for _, free := range []string{null, argument} {
		switch free {
		case a.Type:
			b.Null = isNull
			return b
		case b.Type:
			a.Null = isNull
			return a
		}
	}
	a.Null = isNull
	switch {
	case a.Type == "" || b.Type == "":
		return UserValue{}
	case a.Field != nil && b.Field != nil && (sameGo(a.Field, b.Field) || a.Datatype == b.Datatype && a.Field.Name == b.Field.Name), a.Type == b.Type && a.Scale == b.Scale && a.Field == nil && b.Field == nil:
		return a
	case (a.Type == float || b.Type == float) && numeric(a) && numeric(b) && a.Scale == 0 && b.Scale == 0:
		return UserValue{Type: float, Null: isNull}
	case (a.Type == fraction || b.Type == fraction) && numeric(a) && numeric(b) && a.Scale == b.Scale:
		return UserValue{Type: fraction, Scale: a.Scale, Null: isNull}
	case plain(a.Type) == plain(b.Type) && a.Scale == b.Scale:
		return UserValue{Type: plain(a.Type), Scale: a.Scale, Null: isNull}
	}
	return UserValue{}
}

func (t *typer) commonOf(ns []*node) UserValue {
	if len(ns) == 0 {
		return UserValue{}
	}
	v := t.value(ns[0], ns)
	for _, n := range ns[1:] {
		v = common(v, t.value(n, ns))
	}
	return v
}

// value is the type of one of several that stand for each other: a literal takes
// the type of its neighbours, where the comparison of literals has judged it.
func (t *typer) value(n *node, others []*node) UserValue {
	v := t.typ(n)
	switch n.op {
	case "sign":
		n = n.args[0]
	}
	if n.op != "text" && n.op != "number" {
		return v
	}
	for _, o := range others {
		if with := t.typ(o); with.Field != nil && (with.kind() == check.Text || with.kind() == check.Int) && with.kind() == v.kind() ||
			n.op == "number" && with.Type == "decimal" && (literal{text: n.name}).zero() {
			with.Null = false
			return with
		}
	}
	return v
}

func (t *typer) choice(n *node) UserValue {
	var results []*node
	for _, a := range n.args {
		if a.op != "when" {
			results = append(results, a)
		}
	}
	v := t.commonOf(results)
	v.Null = v.Null || !n.star
	return v
}

// Kind is the kind of a value as it is stored; 0: it is not known.
func (v UserValue) Kind() check.Kind { return v.kind() }

// kind is the kind of a value as it is stored.
func (v UserValue) kind() check.Kind {
	if v.Field != nil {
		return v.Field.Storage().Kind
	}
	switch v.Type {
	case "", null, argument, fraction:
		return 0
	}
	return fieldtype.MustLookup(v.Type).Kind
}

// decimalsIn returns the decimal column that an expression works with, if there is
// one. What is counted, compared or looked up does not matter.
func (t *typer) decimalsIn(n *node) *model.Field {
	if n == nil || n.op == "when" || n.op == "select" || n.op == "call" && n.name == "count" {
		return nil
	}
	if v := t.typ(n); n.op == "column" && v.Type == "decimal" {
		return v.Field
	}
	for _, a := range n.args {
		if f := t.decimalsIn(a); f != nil {
			return f
		}
	}
	return nil
}
