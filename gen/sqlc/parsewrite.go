package sqlc

// insert reads an INSERT or a REPLACE behind its first word, with the rows or the query that it adds.
func (p *parser) insert(q *query) {
	for !p.done() && !p.take("into") {
		if p.here() == "replace" { // INSERT OR REPLACE too
			q.verb = "replace"
		}
		p.at++
	}
	r := &relation{called: p.here(), datatype: p.datatypes[p.here()]}
	q.from = append(q.from, r)
	p.at++
	var columns []span
	if end := p.closing(p.at); p.is(p.at, "(") && end > 0 {
		columns = p.split(span{p.at + 1, end})
		p.at = end + 1
	}
	switch {
	case p.take("values"):
		values := &query{parent: q, ctes: q.ctes, verb: "values"}
		p.all = append(p.all, values)
		for _, row := range p.rows(values) {
			p.assign(q, r, columns, row)
		}
	case p.here() == "select" || p.here() == "with":
		sub := p.query(q)
		p.assign(q, r, columns, sub.items)
	}
	p.clauses(q)
}

// assign pairs the columns of an INSERT with the values of one row.
func (p *parser) assign(q *query, r *relation, columns []span, values []*node) {
	for i, v := range values {
		if i < len(columns) {
			q.sets = append(q.sets, assignment{table: r, column: p.word(columns[i].from), at: columns[i].from, value: v})
		}
	}
}

// rows reads (a, b), (c, d) behind VALUES.
func (p *parser) rows(q *query) [][]*node {
	var out [][]*node
	for p.is(p.at, "(") {
		end := p.closing(p.at)
		if end < 0 {
			break
		}
		p.at++
		row := p.expressions(q)
		p.at = end + 1
		out = append(out, row)
		if q.items == nil {
			q.items, q.names = row, make([]string, len(row))
		} else {
			q.others = append(q.others, row...)
		}
		if !p.take(",") {
			break
		}
	}
	return out
}

// upsert reads what an INSERT changes in a row that is there.
func (p *parser) upsert(q *query) {
	if len(q.from) == 0 {
		return
	}
	r := q.from[0]
	q.from = append(q.from, &relation{called: "excluded", datatype: r.datatype, apart: true})
	q.updates = p.assignments(q)
}

// update reads an UPDATE.
func (p *parser) update(q *query) {
	p.at++
	r := &relation{called: p.here(), datatype: p.datatypes[p.here()]}
	p.at++
	p.alias(r)
	q.from = append(q.from, r)
	if null := false; p.here() != "set" && p.joins(q, &null) {
		p.relations(q) // MySQL's UPDATE a JOIN b
	}
	if p.take("set") {
		q.sets = p.assignments(q)
	}
	p.clauses(q)
}

// assignments reads what stands behind SET.
func (p *parser) assignments(q *query) []assignment {
	var out []assignment
	for {
		at, of := p.at, ""
		if p.is(at+1, ".") {
			of = p.word(at)
			at += 2
		}
		name := p.word(at)
		if name == "" || !p.is(at+1, "=") {
			return out
		}
		p.at = at + 2
		out = append(out, assignment{table: q.assigns(of, name), column: name, at: at, value: p.expression(q, 0)})
		if !p.take(",") {
			return out
		}
	}
}

// assigns returns the table that a column is set of.
func (q *query) assigns(of, column string) *relation {
	for _, r := range q.from {
		if r.called == of || of == "" && r.datatype != nil && fieldNamed(r.datatype, column) != nil {
			return r
		}
	}
	return q.from[0]
}
