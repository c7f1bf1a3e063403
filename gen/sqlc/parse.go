package sqlc

import (
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// node is an expression of a query.
type node struct {
	span
	op   string // what it is: see the parser; "" where that is not known
	name string // of a column, a function, a parameter, a type that is cast to
	of   string // the table that a column's name is qualified by
	args []*node
	star bool // count(*)
	list bool // sqlc.slice
	// embed tells sqlc.embed, a star; as is what its value is called.
	embed bool
	as    string
	over  bool   // a window function
	sub   *query // a subquery
	in    *query // where its names are looked up
}

// query is a SELECT, or another statement, with its parts.
type query struct {
	parent  *query
	verb    string // "select", "insert", "update", "delete", "values"
	ctes    map[string]*relation
	from    []*relation
	items   []*node
	names   []string // of the items, "" for a star
	group   []*node
	grouped bool
	having  *node
	order   []ordering
	unique  bool // SELECT DISTINCT
	arms    []*query
	sets    []assignment
	updates []assignment // of ON CONFLICT and ON DUPLICATE KEY
	targets []string     // what MySQL's DELETE names before FROM
	others  []*node      // conditions, limits: what else is evaluated
}

// ordering is an element of ORDER BY.
type ordering struct {
	*node
	desc, told bool // told: NULLS FIRST or LAST stands there
	end        int  // the token behind ASC or DESC
}

// assignment is a column of an INSERT or UPDATE with its value.
type assignment struct {
	table  *relation
	column string
	at     int // token
	value  *node
}

// relation is what a query reads: a table, or the result of another query.
type relation struct {
	called   string
	datatype *model.Datatype
	result   *query
	names    []string  // of its columns, where they are renamed
	cte      *relation // what WITH calls so
	null     bool      // an outer join may leave it out
	apart    bool      // its columns are always qualified: excluded
}

// parser reads a statement as far as types need. It takes what it does not know
// for an expression of no known type, and never fails.
type parser struct {
	scope
	datatypes map[string]*model.Datatype
	file      string
	at        int
	all       []*query
}

// parse reads a query of the user's, once.
func (q *written) parse(datatypes map[string]*model.Datatype) {
	p := &parser{scope: newScope(q, datatypes), datatypes: datatypes, file: q.file.Text}
	q.top = p.query(nil)
	q.typer = &typer{p: p, q: q, found: map[*node]UserValue{}}
}

func (p *parser) here() string { return p.word(p.at) }

func (p *parser) take(words ...string) bool {
	for i, w := range words {
		if p.word(p.at+i) != w && !p.is(p.at+i, w) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) done() bool { return p.at >= len(p.code) || p.is(p.at, ")") }

// query reads a statement up to its end or to the bracket that closes it.
func (p *parser) query(parent *query) *query {
	q := &query{parent: parent, ctes: map[string]*relation{}}
	p.all = append(p.all, q)
	if p.take("with") {
		p.take("recursive")
		for p.cte(q) && p.take(",") {
		}
	}
	for p.is(p.at, "(") && parent == nil {
		p.at++ // (SELECT ...) UNION ...
	}
	q.verb = p.here()
	switch q.verb {
	case "insert", "replace":
		p.insert(q)
	case "update":
		p.update(q)
	case "delete":
		for p.at++; !p.done() && p.here() != "from"; p.at++ {
			if p.here() != "" {
				q.targets = append(q.targets, p.here())
			}
		}
		p.clauses(q)
	case "values":
		p.at++
		p.rows(q)
	default:
		p.body(q)
	}
	return q
}

func (p *parser) cte(q *query) bool {
	r := &relation{called: p.here()}
	p.at++
	if p.is(p.at, "(") {
		end := p.closing(p.at)
		if end < 0 {
			return false
		}
		for _, e := range p.split(span{p.at + 1, end}) {
			r.names = append(r.names, p.word(e.from))
		}
		p.at = end + 1
	}
	q.ctes[r.called] = r
	p.take("as")
	p.take("not")
	p.take("materialized")
	end := p.closing(p.at)
	if !p.is(p.at, "(") || end < 0 {
		return false
	}
	p.at++
	r.result = p.query(q)
	p.at = end + 1
	return true
}

// body reads SELECT with what follows it, and the arms of a UNION.
func (p *parser) body(q *query) {
	if !p.take("select") {
		return
	}
	if p.take("distinct") {
		q.unique = !p.distinctOn()
	} else {
		p.take("all")
	}
	p.list(q)
	p.clauses(q)
}

// distinctOn passes over ON (...), behind which PostgreSQL takes one row of each group, and any order.
func (p *parser) distinctOn() bool {
	if p.here() != "on" || !p.is(p.at+1, "(") {
		return false
	}
	p.at++
	p.skip()
	return true
}

// list reads the expressions of a SELECT or RETURNING.
func (p *parser) list(q *query) {
	for {
		start := p.at
		if e, n, ok := embedAt(p.code[min(p.at, len(p.code)):]); ok {
			p.at += n
			of := strings.ToLower(strings.Trim(e.of.text, "\"`"))
			q.items, q.names = append(q.items, &node{span: p.since(start), op: "star", embed: true, of: of, as: e.as, in: q}), append(q.names, "")
		} else if p.is(p.at, "*") || p.is(p.at+1, ".") && p.is(p.at+2, "*") {
			p.at += 1
			if p.is(start+1, ".") {
				p.at += 2
			}
			q.items, q.names = append(q.items, &node{span: p.since(start), op: "star", of: p.word(start), in: q}), append(q.names, "")
		} else {
			n := p.expression(q, 0)
			name := n.name
			if p.take("as") || p.here() != "" && !notAlias[p.here()] {
				name = p.here()
				p.at++
			}
			q.items, q.names = append(q.items, n), append(q.names, name)
		}
		if !p.take(",") {
			return
		}
	}
}

// clauses reads FROM and everything behind it.
func (p *parser) clauses(q *query) {
	for !p.done() {
		switch {
		case p.take("from"), p.take("using"):
			p.relations(q)
		case p.take("where"):
			q.others = append(q.others, p.condition(q))
		case p.take("group", "by"):
			q.grouped = true
			q.group = p.expressions(q)
		case p.take("having"):
			q.having = p.condition(q)
		case p.take("order", "by"):
			p.ordered(q)
		case p.take("limit"), p.take("offset"):
			n := p.expression(q, 0)
			q.others = append(q.others, &node{span: n.span, op: "limit", args: []*node{n}, in: q})
		case p.take("returning"):
			p.list(q)
		case p.take("on", "conflict"):
			if p.is(p.at, "(") {
				p.skip()
			}
		case p.take("do", "update", "set"), p.take("on", "duplicate", "key", "update"):
			p.upsert(q)
		case p.take("union"), p.take("except"), p.take("intersect"):
			p.take("all")
			p.take("distinct")
			arm := &query{parent: q.parent, ctes: q.ctes, verb: "select"}
			p.all = append(p.all, arm)
			q.arms = append(q.arms, arm)
			if p.take("values") {
				p.rows(arm)
			} else {
				p.body(arm)
			}
			// ORDER BY and LIMIT behind an arm are the whole's.
			q.order, arm.order = append(q.order, arm.order...), nil
			return
		default:
			p.at++
		}
	}
}

func (p *parser) condition(q *query) *node {
	start := p.at
	return p.made(start, "where", q, p.expression(q, 0))
}

func (p *parser) expressions(q *query) []*node {
	out := []*node{p.expression(q, 0)}
	for p.take(",") {
		out = append(out, p.expression(q, 0))
	}
	return out
}

func (p *parser) ordered(q *query) {
	for {
		o := ordering{node: p.expression(q, 0)}
		if p.take("desc") {
			o.desc = true
		} else {
			p.take("asc")
		}
		o.end = p.at
		if p.take("nulls") {
			o.told = true
			p.at++
		}
		q.order = append(q.order, o)
		if !p.take(",") {
			return
		}
	}
}

// relations reads the tables behind FROM, with their joins.
func (p *parser) relations(q *query) {
	null := false
	for {
		p.take("lateral")
		r := &relation{null: null}
		if p.is(p.at, "(") {
			end := p.closing(p.at)
			if end < 0 {
				return
			}
			p.at++
			if w := p.here(); w == "select" || w == "with" || w == "values" {
				r.result = p.query(q)
			}
			p.at = end + 1
		} else {
			name := p.here()
			if name == "" {
				return
			}
			r.called, r.datatype = name, p.datatypes[name]
			for up := q; up != nil; up = up.parent {
				if c := up.ctes[name]; c != nil {
					r.cte, r.datatype = c, nil
					break
				}
			}
			p.at++
		}
		p.alias(r)
		q.from = append(q.from, r)
		if p.joins(q, &null) {
			continue
		}
		return
	}
}

// columns returns the query that a relation is the result of, and how its columns
// are renamed. A recursive query is known only when it has been read.
func (r *relation) columns() (*query, []string) {
	if r.cte != nil {
		return r.cte.result, r.cte.names
	}
	return r.result, r.names
}

func (p *parser) alias(r *relation) {
	as := p.take("as")
	if w := p.here(); w != "" && (as || !notAlias[w]) {
		r.called = w
		p.at++
		if end := p.closing(p.at); p.is(p.at, "(") && end > 0 && r.result != nil {
			r.names = nil
			for _, e := range p.split(span{p.at + 1, end}) {
				r.names = append(r.names, p.word(e.from))
			}
			p.at = end + 1
		}
	}
}

// joins reads what is between two tables, and reports whether another follows.
func (p *parser) joins(q *query, null *bool) bool {
	*null = false
	for !p.done() {
		switch {
		case p.take(","), p.take("join"):
			return true
		case p.take("on"):
			q.others = append(q.others, p.condition(q))
		case p.here() == "using" && p.is(p.at+1, "("):
			p.at = max(p.closing(p.at+1), p.at+1) + 1
		case p.take("left"):
			*null = true
		case p.take("right"), p.take("full"):
			*null = p.word(p.at-1) == "full"
			for _, r := range q.from {
				r.null = true
			}
		case p.take("inner"), p.take("cross"), p.take("natural"), p.take("outer"):
		default:
			return false
		}
	}
	return false
}

// walk visits an expression and those inside of it; not those of subqueries,
// which are queries of their own.
func (n *node) walk(visit func(*node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, a := range n.args {
		a.walk(visit)
	}
}

// each visits every expression of a query.
func (q *query) each(visit func(*node)) {
	for _, list := range [][]*node{q.items, q.group, q.others, {q.having}} {
		for _, n := range list {
			n.walk(visit)
		}
	}
	for _, o := range q.order {
		o.walk(visit)
	}
	sets := q.updates
	if q.verb == "update" {
		sets = q.sets
	}
	for _, s := range sets {
		s.value.walk(visit)
	}
}

// text returns an expression as it is compared with others: without white space,
// in lower case.
func (p *parser) text(e span) string {
	var b strings.Builder
	for i := e.from; i < e.to && i < len(p.code); i++ {
		t := p.code[i].text
		if p.code[i].kind != str {
			t = strings.ToLower(strings.Trim(t, "\"`"))
		}
		b.WriteString(t + " ")
	}
	return b.String()
}

// source returns an expression as it stands in the file.
func (p *parser) source(e span) string {
	if e.to <= e.from {
		return ""
	}
	last := p.code[e.to-1]
	return p.file[p.code[e.from].at : last.at+len(last.text)]
}
