package sqlc

import (
	"slices"
	"strings"
)

// The operators between expressions, by how tightly they bind.
const (
	bindOr = iota + 1
	bindAnd
	bindNot
	bindCompare
	bindOther // operators that only one database has
	bindAdd
	bindMultiply
	bindConcat
	bindSign
)

// expression reads an expression whose operators bind more tightly than least.
func (p *parser) expression(q *query, least int) *node {
	start := p.at
	var left *node
	switch {
	case p.here() == "not":
		p.at++
		left = p.made(start, "not", q, p.expression(q, bindNot))
	case p.is(p.at, "-") || p.is(p.at, "+"):
		p.at++
		left = p.made(start, "sign", q, p.expression(q, bindSign))
	case p.is(p.at, "~"):
		p.at++
		left = p.made(start, "bits", q, p.expression(q, bindSign))
		left.name = "~"
	default:
		left = p.primary(q)
	}
	for !p.done() {
		next := p.operator(q, left, start, least)
		if next == nil {
			return left
		}
		left = next
	}
	return left
}

// since returns what was read from start on. A statement that breaks off is read
// beyond its end, which a span never reaches.
func (p *parser) since(start int) span {
	return span{min(start, len(p.code)), min(p.at, len(p.code))}
}

func (p *parser) made(start int, op string, q *query, args ...*node) *node {
	return &node{span: p.since(start), op: op, args: args, in: q}
}

// operator reads an operator behind an expression with what stands behind it;
// nil where none does that binds tightly enough.
func (p *parser) operator(q *query, left *node, start, least int) *node {
	binary := func(op string, tokens, bind int) *node {
		if bind <= least {
			return nil
		}
		p.at += tokens
		right := p.expression(q, bind)
		n := p.made(start, op, q, left, right)
		n.name = op
		return n
	}
	switch w := p.here(); w {
	case "or":
		return binary("or", 1, bindOr)
	case "and":
		return binary("and", 1, bindAnd)
	case "is", "isnull", "notnull", "not", "in", "between", "like", "ilike", "glob", "regexp", "rlike", "similar":
		if bindCompare <= least {
			return nil
		}
		return p.predicate(q, left, start)
	case "div":
		return binary("", 1, bindMultiply)
	case "collate":
		p.at += 2
		out := *left
		out.span = p.since(start)
		return &out
	}
	if p.at >= len(p.code) || p.code[p.at].kind != other {
		return nil
	}
	symbol := ""
	n := 0
	for p.at+n < len(p.code) && p.code[p.at+n].kind == other && strings.Contains("=<>!+-*/%|&^~#:@?", p.code[p.at+n].text[:1]) {
		if symbol != "" && strings.Contains("+-", p.code[p.at+n].text) { // a > -1
			break
		}
		symbol += p.code[p.at+n].text
		n++
	}
	switch symbol {
	case "=", "<", ">", "<=", ">=", "<>", "!=", "==":
		return binary("compare", n, bindCompare)
	case "+", "-":
		return binary(symbol, n, bindAdd)
	case "*", "/", "%":
		return binary(symbol, n, bindMultiply)
	case "||":
		return binary("||", n, bindConcat)
	case "&", "|":
		out := binary("bits", n, bindOther)
		if out != nil {
			out.name = symbol
		}
		return out
	case "::":
		p.at += 2
		out := p.made(start, "cast", q, left)
		out.name = p.word(p.at - 1)
		if p.is(p.at, "[") && p.is(p.at+1, "]") {
			p.at += 2
			out.name += arrayMark
			out.span = p.since(start)
		}
		return out
	case "":
		return nil
	}
	out := binary("", n, bindOther)
	if out != nil {
		out.name = symbol
	}
	return out
}

// predicate reads IS, IN, BETWEEN, LIKE and their kin.
func (p *parser) predicate(q *query, left *node, start int) *node {
	if p.take("isnull") || p.take("notnull") {
		return p.made(start, "is", q, left)
	}
	if p.take("is") {
		p.take("not")
		if p.take("distinct") {
			p.take("from")
		}
		return p.made(start, "is", q, left, p.expression(q, bindCompare))
	}
	p.take("not")
	w := p.here()
	p.at++
	switch w {
	case "between":
		p.take("symmetric")
		low := p.expression(q, bindCompare)
		p.take("and")
		return p.made(start, "between", q, left, low, p.expression(q, bindCompare))
	case "in":
		n := &node{op: "in", in: q, args: []*node{left}}
		if end := p.closing(p.at); p.is(p.at, "(") && end > 0 {
			p.at++
			if first := p.here(); first == "select" || first == "with" || first == "values" {
				n.sub = p.query(q)
			} else if p.at < end {
				n.args = append(n.args, p.expressions(q)...)
			}
			p.at = end + 1
		}
		n.span = p.since(start)
		return n
	}
	n := p.made(start, "like", q, left, p.expression(q, bindCompare))
	n.name = w
	if p.take("escape") {
		n.args = append(n.args, p.expression(q, bindCompare))
		n.span.to = p.at
	}
	return n
}

// primary reads an expression without operators.
func (p *parser) primary(q *query) *node {
	start := p.at
	if p.done() {
		return p.made(start, "", q)
	}
	if p.is(p.at, "(") {
		return p.bracket(q)
	}
	if u, n, ok := p.parameterAt(p.at); ok {
		p.at += n
		out := p.made(start, "parameter", q)
		out.name, out.star, out.list = u.name, u.null, u.list
		return out
	}
	if lit, ok := p.literalAt(p.at); ok {
		p.at = lit.end
		out := p.made(start, "number", q)
		switch {
		case lit.isStr:
			out.op = "text"
		case strings.ContainsAny(lit.text, ".eE"):
			out.op = "fraction"
		}
		out.name = lit.text
		return out
	}
	switch w := p.here(); {
	case w == "":
		p.skip()
		return p.made(start, "", q)
	case w == "null" || w == "true" || w == "false" || p.code[p.at].kind == word && (w == nowWord || w == todayWord) && !p.is(p.at+1, "("):
		p.at++
		return p.made(start, w, q)
	case w == "case":
		return p.choice(q)
	case w == "interval", w == "array", (w == "date" || w == "timestamp" || w == "timestamptz") && p.at+1 < len(p.code) && p.code[p.at+1].kind == str:
		p.at++
		p.skip()
		return p.made(start, "", q)
	case p.is(p.at+1, "("):
		return p.call(q)
	case p.is(p.at+1, ".") && p.is(p.at+3, "("):
		p.at += 3
		p.skip()
		return p.made(start, "", q)
	}
	out := &node{op: "column", in: q}
	if p.is(p.at+1, ".") {
		out.of = p.here()
		p.at += 2
	}
	out.name = p.here()
	p.at++
	out.span = p.since(start)
	return out
}

// parameterAt reads a parameter among the tokens without white space.
func (p *parser) parameterAt(i int) (use, int, bool) { return parameter(p.code[i:]) }

// skip moves past one token, or a bracket with what it holds.
func (p *parser) skip() {
	if p.is(p.at, "(") || p.is(p.at, "[") {
		if end := p.closing(p.at); end > 0 {
			p.at = end
		}
	}
	p.at++
}

func (p *parser) bracket(q *query) *node {
	start, end := p.at, p.closing(p.at)
	if end < 0 {
		p.at = len(p.code)
		return p.made(start, "", q)
	}
	p.at++
	if w := p.here(); w == "select" || w == "with" || w == "values" {
		sub := p.query(q)
		p.at = end + 1
		n := p.made(start, "select", q)
		n.sub = sub
		return n
	}
	list := p.expressions(q)
	p.at = end + 1
	if len(list) > 1 {
		return p.made(start, "row", q, list...)
	}
	return p.made(start, "bracket", q, list[0])
}

func (p *parser) choice(q *query) *node {
	start := p.at
	p.at++
	n := &node{op: "case", in: q}
	var of *node
	if p.here() != "when" {
		of = p.expression(q, 0)
	}
	for p.take("when") {
		when := p.expression(q, 0)
		if of != nil {
			when = &node{span: when.span, op: "compare", args: []*node{of, when}, in: q}
		}
		p.take("then")
		n.args = append(n.args, &node{span: when.span, op: "when", args: []*node{when}, in: q}, p.expression(q, 0))
	}
	if p.take("else") {
		n.args = append(n.args, p.expression(q, 0))
		n.star = true // has an ELSE
	}
	p.take("end")
	n.span = p.since(start)
	return n
}

// oddCalls are the functions whose arguments are no list of expressions.
var oddCalls = []string{"extract", "position", "overlay", "convert", "group_concat", "string_agg", "json_table", "xmlelement"}

func (p *parser) call(q *query) *node {
	start, name := p.at, p.here()
	end := p.closing(p.at + 1)
	if end < 0 {
		p.at = len(p.code)
		return p.made(start, "", q)
	}
	n := &node{op: "call", name: name, in: q}
	p.at += 2
	switch {
	case name == "exists":
		n.op = "exists"
		n.sub = p.query(q)
	case name == "cast":
		n.op = "cast"
		n.args = []*node{p.expression(q, 0)}
		p.take("as")
		n.name = p.here()
	case slices.Contains(oddCalls, name):
	case p.is(p.at, "*"):
		n.star = true
	case p.at < end:
		p.take("distinct")
		n.args = p.expressions(q)
		if p.at < end { // FROM, ORDER BY, SEPARATOR
			n.op, n.args = "", nil
		}
	}
	p.at = end + 1
	for p.here() == "over" || p.here() == "filter" {
		n.over = n.over || p.here() == "over"
		p.at++
		p.skip()
	}
	n.span = p.since(start)
	return n
}
