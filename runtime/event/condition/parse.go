package condition

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/internal/near"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

const exampleTerm = `write {"field": "status", "eq": "published"}`

// groups are the keys of groups.
var groups = map[string]op{"all_of": opAll, "any_of": opAny, "none_of": opNone}

// operators are the keys of terms; operatorNames has them in the order of the
// documentation.
var (
	operators = map[string]op{
		"eq": opEq, "ne": opNe, "in": opIn, "lt": opLt, "lte": opLte, "gt": opGt, "gte": opGte,
		"changed": opChanged, "exists": opExists,
	}
	operatorNames = []string{"eq", "ne", "in", "lt", "lte", "gt", "gte", "changed", "exists"}
	allNames      = append([]string{"field", "all_of", "any_of", "none_of"}, operatorNames...)
)

// parser collects the mistakes of one condition.
type parser struct {
	columns  []core.Column
	terms    int
	mistakes []Mistake
}

// fail reports a mistake at an element.
func (p *parser) fail(at *element, message string) {
	if len(p.mistakes) < maxMistakes {
		p.mistakes = append(p.mistakes, Mistake{Path: at.path, Offset: at.offset, Message: message})
	}
}

// count counts a term or a value; false when there are too many, which is reported
// once.
func (p *parser) count(at *element) bool {
	p.terms++
	if p.terms == MaxTerms+1 {
		p.fail(at, "a condition has at most "+strconv.Itoa(MaxTerms)+" operators and values in lists")
	}
	return p.terms <= MaxTerms
}

func (p *parser) parse(raw []byte) node {
	top, ok := p.read(raw)
	if !ok {
		return node{}
	}
	return p.condition(&top, 0)
}

// condition reads a group or a term.
func (p *parser) condition(e *element, depth int) node {
	switch {
	case e.isList():
		p.fail(e, `a list does not say how its terms are joined; write {"all_of": [...]} or {"any_of": [...]}`)
		return node{}
	case !e.isObject():
		p.fail(e, "a condition is an object; "+exampleTerm)
		return node{}
	case len(e.members) == 0:
		p.fail(e, "it has no term; "+exampleTerm+", or no condition at all")
		return node{}
	}
	for i := range e.members {
		if o, ok := groups[e.members[i].key]; ok {
			return p.group(o, e, &e.members[i], depth)
		}
	}
	return p.term(e)
}

func (p *parser) group(o op, e *element, m *member, depth int) node {
	n := node{op: o}
	for i := range e.members {
		if other := &e.members[i]; other.key != m.key {
			p.fail(&element{path: other.value.path, offset: other.offset},
				"a group has nothing beside "+m.key+`; put both into the list of an {"all_of": [...]}`)
		}
	}
	if depth == MaxDepth {
		p.fail(&m.value, "groups are nested more than "+strconv.Itoa(MaxDepth)+" deep")
		return n
	}
	if !m.value.isList() || len(m.value.items) == 0 {
		p.fail(&m.value, m.key+` has a list of at least one term, [{"field": ...}]`)
		return n
	}
	for i := range m.value.items {
		n.kids = append(n.kids, p.condition(&m.value.items[i], depth+1))
		if p.terms > MaxTerms {
			return n
		}
	}
	return n
}

// term reads the operators of one field. Several are a group of which all must hold.
func (p *parser) term(e *element) node {
	all := node{op: opAll}
	if p.unknownKeys(e) && e.member("field") == nil { // what was meant may be the field
		return all
	}
	base, ok := p.field(e)
	given := 0
	for i := range e.members {
		m := &e.members[i]
		if m.key == "field" {
			continue
		}
		given++
		o, known := operators[m.key]
		if !known {
			continue
		}
		if !p.count(&m.value) {
			return all
		}
		if ok {
			all.kids = append(all.kids, p.operator(o, m, base))
		}
	}
	if given == 0 {
		p.fail(e, "the term has no operator; add one of "+strings.Join(operatorNames, ", "))
	}
	if len(all.kids) == 1 {
		return all.kids[0]
	}
	return all
}

// unknownKeys reports the keys of a term that mean nothing, and whether there are any.
func (p *parser) unknownKeys(e *element) (any bool) {
	for i := range e.members {
		m := &e.members[i]
		if _, known := operators[m.key]; !known && m.key != "field" {
			p.unknownKey(m)
			any = true
		}
	}
	return any
}

func (p *parser) unknownKey(m *member) {
	at := &element{path: m.value.path, offset: m.offset}
	_, column := side(m.key)
	for _, c := range p.columns {
		if c.Name == column {
			p.fail(at, "the field is a value, not a key; write {\"field\": "+strconv.Quote(m.key)+", \"eq\": ...}")
			return
		}
	}
	if name := near.Name(m.key, allNames); name != "" {
		p.fail(at, "unknown key "+quote(m.key)+"; did you mean "+strconv.Quote(name)+"?")
		return
	}
	p.fail(at, "unknown key "+quote(m.key)+"; a term has field and one of "+strings.Join(operatorNames, ", "))
}

// field reads which column a term is about; false when that is not known, which is
// reported.
func (p *parser) field(e *element) (node, bool) {
	m := e.member("field")
	if m == nil {
		p.fail(e, "the term has no field; "+exampleTerm)
		return node{}, false
	}
	name, ok := m.value.token.(string)
	if !ok {
		p.fail(&m.value, `field is the name of a field, such as "status" or "before.status"`)
		return node{}, false
	}
	n := node{}
	n.row, name = side(name)
	names := make([]string, len(p.columns))
	for i, c := range p.columns {
		if c.Name == name {
			n.col, n.kind = i, c.Rules.Kind
			return n, true
		}
		names[i] = c.Name
	}
	p.fail(&m.value, unknownField(name, names))
	return n, false
}

// side splits "before.status".
func side(name string) (row, string) {
	if rest, ok := strings.CutPrefix(name, "before."); ok {
		return rowBefore, rest
	}
	if rest, ok := strings.CutPrefix(name, "after."); ok {
		return rowAfter, rest
	}
	return rowLast, name
}

func unknownField(name string, names []string) string {
	message := "unknown field " + quote(name)
	if meant := near.Name(name, names); meant != "" {
		return message + "; did you mean " + strconv.Quote(meant) + "?"
	}
	const most = 10
	sorted := near.Sort(name, names)
	if len(sorted) > most {
		return message + "; fields are " + strings.Join(sorted[:most], ", ") + " and " + strconv.Itoa(len(sorted)-most) + " more"
	}
	return message + "; fields are " + strings.Join(sorted, ", ")
}

// operator reads one operator of a term on a field.
func (p *parser) operator(o op, m *member, n node) node {
	n.op = o
	c := &p.columns[n.col]
	at := &element{path: m.value.path, offset: m.offset}
	if c.Rules.Secret && o != opChanged {
		p.fail(at, c.Name+" is secret; a condition can only ask whether it changed")
		return n
	}
	switch o {
	case opChanged, opExists:
		want, ok := m.value.token.(bool)
		if !ok {
			p.fail(&m.value, m.key+" is true or false, not "+describe(&m.value))
		}
		if o == opChanged && n.row != rowLast {
			p.fail(at, "changed compares before with after; write the field without a side, "+strconv.Quote(c.Name))
		}
		n.want = want
		return n
	case opEq, opNe:
		if m.value.token == nil {
			return n
		}
	}
	if allowed := comparisons(c); !strings.Contains(allowed, " "+m.key+" ") {
		p.fail(at, m.key+" does not apply to "+c.Name+", which is "+typeName(c)+"; it has "+strings.Join(append(strings.Fields(allowed), "changed"), ", ")+" and exists")
		return n
	}
	if o == opIn {
		p.list(&n, c, &m.value)
		return n
	}
	if v, ok := p.value(c, &m.value); ok {
		n.values = []value{v}
	}
	return n
}

// comparisons are the operators that compare values of a column, between spaces.
func comparisons(c *core.Column) string {
	switch {
	case c.Rules.Kind == check.JSON || c.Rules.Kind == check.Bytes:
		return " "
	case c.Rules.Kind == check.Bool || len(c.Rules.Options) > 0:
		return " eq ne in "
	}
	return " eq ne in lt lte gt gte "
}

func (p *parser) list(n *node, c *core.Column, e *element) {
	if !e.isList() || len(e.items) == 0 {
		p.fail(e, "in has a list of at least one value, not "+describe(e)+"; for one value there is eq")
		return
	}
	for i := range e.items {
		if !p.count(&e.items[i]) {
			return
		}
		if v, ok := p.value(c, &e.items[i]); ok {
			n.values = append(n.values, v)
		}
	}
}

// describe names what stands where something else should.
func describe(e *element) string {
	switch t := e.token.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(t)
	case string:
		return "the text " + quote(t)
	case json.Number:
		if s := t.String(); len(s) <= 60 {
			return "the number " + s
		}
		return "a number"
	case json.Delim:
		if t == '{' {
			return "an object"
		}
	}
	return "a list"
}
