package rowtemplate

import (
	"strconv"
	"strings"
	"text/template/parse"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/internal/near"
	"github.com/hegner123/modulagen/runtime/store"
)

// node is a part of a template.
type node interface{}

type (
	// textNode is text that is written as it stands.
	textNode struct {
		offset int
		text   string
	}
	// actionNode is a value that is written; escape is set by the kind.
	actionNode struct {
		offset int
		expr   expr
		escape escape
	}
	// branchNode is an if, or a with, in which dot is the value.
	branchNode struct {
		offset          int
		cond            expr
		with            bool
		then, otherwise []node
	}
)

// expr is an expression that can be evaluated.
type expr struct {
	offset   int
	typ      typ
	constant *value
	eval     func(r *run) (value, error)
}

// parser turns what text/template/parse returns into nodes.
type parser struct {
	src source
	row *Row
	dot *expr // within a with
	err *Error
}

func (t *Template) parse() error {
	switch {
	case len(t.source) > MaxTemplate:
		return source("").invalid(0, "a template has at most %d bytes, not %d", MaxTemplate, len(t.source))
	case !utf8.ValidString(string(t.source)):
		at := 0
		for r, size := utf8.DecodeRuneInString(string(t.source)); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRuneInString(string(t.source[at:])) {
			at += size
		}
		return t.source.invalid(at, "the template is not UTF-8")
	}
	const name = "row"
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck // what is unknown is reported below, with its column
	set := map[string]*parse.Tree{}
	if _, err := tree.Parse(string(t.source), "", "", set); err != nil {
		return syntaxError(name, err)
	}
	for _, other := range set {
		if other != tree {
			return t.source.invalid(int(other.Root.Pos), "define and block are not there: a template is one text")
		}
	}
	p := &parser{src: t.source, row: t.row}
	t.nodes = p.list(tree.Root, 0)
	if p.err != nil {
		return p.err
	}
	return nil
}

// syntaxError takes "template: row:3: unexpected ..." apart.
func syntaxError(name string, err error) *Error {
	e := &Error{Line: 1, is: store.ErrInvalid}
	rest := strings.TrimPrefix(err.Error(), "template: "+name+":")
	number, message, ok := strings.Cut(rest, ": ")
	if n, err := strconv.Atoi(number); ok && err == nil {
		e.Line, rest = n, message
	}
	e.Message = strings.ToValidUTF8(rest, "\uFFFD")
	return e
}

// fail keeps the first mistake.
func (p *parser) fail(offset parse.Pos, format string, args ...any) {
	if p.err == nil {
		p.err = p.src.invalid(int(offset), format, args...)
	}
}

func (p *parser) list(l *parse.ListNode, depth int) []node {
	if l == nil {
		return nil
	}
	if depth > maxDepth {
		p.fail(l.Pos, "branches are nested more than %d deep", maxDepth)
		return nil
	}
	var out []node
	for _, n := range l.Nodes {
		if p.err != nil {
			return nil
		}
		switch n := n.(type) {
		case *parse.TextNode:
			out = append(out, &textNode{offset: int(n.Pos), text: string(n.Text)})
		case *parse.ActionNode:
			out = append(out, &actionNode{offset: int(n.Pos), expr: p.pipe(n.Pipe, depth)})
		case *parse.IfNode:
			out = append(out, p.branch(&n.BranchNode, depth))
		case *parse.WithNode:
			out = append(out, p.branch(&n.BranchNode, depth))
		case *parse.RangeNode:
			p.fail(n.Pos, "range is not there; {{json .Field}} writes a whole list")
		case *parse.TemplateNode:
			p.fail(n.Pos, "template and block are not there: a template is one text")
		default:
			p.fail(n.Position(), "%s cannot stand here", quote(n.String()))
		}
	}
	return out
}

func (p *parser) branch(n *parse.BranchNode, depth int) *branchNode {
	b := &branchNode{offset: int(n.Pos), cond: p.pipe(n.Pipe, depth), with: n.NodeType == parse.NodeWith}
	outer := p.dot
	if b.with {
		p.dot = &expr{typ: b.cond.typ, eval: (*run).current}
	}
	b.then = p.list(n.List, depth+1)
	p.dot = outer
	b.otherwise = p.list(n.ElseList, depth+1)
	return b
}

// pipe reads a | b c | d: each result is the last argument of what follows.
func (p *parser) pipe(n *parse.PipeNode, depth int) expr {
	if depth > maxDepth {
		p.fail(n.Pos, "parentheses are nested more than %d deep", maxDepth)
		return expr{}
	}
	if len(n.Decl) > 0 {
		p.fail(n.Decl[0].Pos, "variables are not there; write the field where its value is needed")
		return expr{}
	}
	var result expr
	for i, c := range n.Cmds {
		var last *expr
		if i > 0 {
			value := result
			last = &value
		}
		result = p.command(c, last, depth)
		if p.err != nil {
			return expr{}
		}
	}
	return result
}

func (p *parser) command(c *parse.CommandNode, last *expr, depth int) expr {
	name, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok {
		switch {
		case last != nil:
			p.fail(c.Args[0].Position(), "only a function can stand behind |")
		case len(c.Args) > 1:
			p.fail(c.Args[0].Position(), "%s is not a function, and takes no arguments", quote(c.Args[0].String()))
		}
		return p.operand(c.Args[0], depth)
	}
	var args []expr
	for _, a := range c.Args[1:] {
		if id, ok := a.(*parse.IdentifierNode); ok {
			p.fail(id.Pos, "%s cannot stand here; put a call into parentheses, and a text into quotes", quote(id.Ident))
		}
		args = append(args, p.operand(a, depth))
		if p.err != nil {
			return expr{}
		}
	}
	if last != nil {
		args = append(args, *last)
	}
	return p.call(name, args)
}

// operand reads a field, a literal or what stands in parentheses.
func (p *parser) operand(n parse.Node, depth int) expr {
	switch n := n.(type) {
	case *parse.FieldNode:
		if p.dot != nil {
			p.fail(n.Pos, "within a with, {{.}} is its value; write $%s for the field of the row", n.String())
			return expr{}
		}
		return p.field(n.Pos, n.Ident)
	case *parse.VariableNode:
		if n.Ident[0] != "$" {
			p.fail(n.Pos, "variables are not there; write the field where its value is needed")
			return expr{}
		}
		return p.field(n.Pos, n.Ident[1:])
	case *parse.DotNode:
		if p.dot == nil {
			return p.field(n.Pos, nil)
		}
		e := *p.dot
		e.offset = int(n.Pos)
		return e
	case *parse.StringNode:
		return constant(n.Pos, value{t: typeText, s: n.Text})
	case *parse.BoolNode:
		return constant(n.Pos, value{t: typeBool, b: n.True})
	case *parse.NumberNode:
		return p.number(n)
	case *parse.PipeNode:
		return p.pipe(n, depth+1)
	case *parse.NilNode:
		p.fail(n.Pos, "nil is not a value; {{if .Field}} tests whether there is one")
	case *parse.IdentifierNode:
		return p.call(n, nil)
	case *parse.ChainNode:
		p.fail(n.Pos, "a value has no fields of its own; {{json .Field}} writes a whole JSON value")
	default:
		p.fail(n.Position(), "%s cannot stand here", quote(n.String()))
	}
	return expr{}
}

func constant(at parse.Pos, v value) expr {
	return expr{offset: int(at), typ: v.t, constant: &v, eval: func(*run) (value, error) { return v, nil }}
}

func (p *parser) number(n *parse.NumberNode) expr {
	switch {
	case strings.HasPrefix(n.Text, "'"):
		p.fail(n.Pos, "%s is not a text; write it in double quotes", n.Text)
	case n.IsInt:
		return constant(n.Pos, value{t: typeInt, n: n.Int64})
	default:
		const longest = 64
		d, err := decimal.NewFromString(n.Text)
		if err != nil || len(n.Text) > longest || d.Exponent() < -longest || d.Exponent() > longest {
			p.fail(n.Pos, "%s is not a number such as 5 or 19.99", quote(n.Text))
			break
		}
		return constant(n.Pos, value{t: typeDecimal, d: d, scale: int(max(0, -d.Exponent()))})
	}
	return expr{}
}

// field reads .Name, by the idents between its dots.
func (p *parser) field(at parse.Pos, idents []string) expr {
	switch {
	case len(idents) == 0:
		p.fail(at, "the row as a whole is not a value; fields are %s", p.fields(""))
		return expr{}
	case len(idents) > 1:
		p.fail(at, "%s has no fields of its own; {{json .%s}} writes a whole JSON value", quote(idents[0]), idents[0])
		return expr{}
	}
	f, ok := p.row.byName[idents[0]]
	switch {
	case !ok:
		p.fail(at, "there is no field %s; fields are %s", quote(idents[0]), p.fields(idents[0]))
		return expr{}
	case f.secret:
		p.fail(at, "%s is secret, and what a webhook sends leaves the program; keep the receiver's secrets in its headers", f.name)
		return expr{}
	}
	return expr{offset: int(at), typ: f.typ, eval: func(r *run) (value, error) { return r.field(f) }}
}

// fields lists the fields, those that are nearest to a name first.
func (p *parser) fields(name string) string {
	const most = 20
	names := p.row.names()
	if name != "" {
		names = near.Sort(name, names)
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and " + strconv.Itoa(len(names)-most) + " more"
	}
	return strings.Join(names, ", ")
}
