package templatecheck

import (
	"fmt"
	"reflect"
	"text/template/parse"
)

// none is the type of the dot in a template that is called without data.
var none = reflect.TypeFor[struct{}]()

// Check returns what is wrong in the template called name, and in those that it calls, when it
// is executed with a value of type data. Funcs are the functions that templates call, beside
// the built-in ones.
func Check(trees map[string]*parse.Tree, name string, data reflect.Type, funcs map[string]any) []error {
	c := &checker{trees: trees, funcs: funcs, seen: map[call]bool{}}
	c.template(name, data)
	return c.errs
}

// call is a template that is executed with a type.
type call struct {
	name string
	dot  reflect.Type
}

// variable is one of a template. Later ones hide earlier ones of the same name.
type variable struct {
	name string
	typ  reflect.Type // nil: unknown
}

type checker struct {
	trees map[string]*parse.Tree
	funcs map[string]any
	seen  map[call]bool
	errs  []error

	tree *parse.Tree // being checked
	vars []variable
}

func (c *checker) template(name string, dot reflect.Type) {
	one := call{name, dot}
	if c.seen[one] {
		return
	}
	c.seen[one] = true
	tree, vars := c.tree, c.vars
	c.tree, c.vars = c.trees[name], []variable{{"$", dot}}
	c.list(c.tree.Root, dot)
	c.tree, c.vars = tree, vars
}

// fail reports what is wrong at a node.
func (c *checker) fail(n parse.Node, format string, args ...any) {
	at, _ := c.tree.ErrorContext(n)
	c.errs = append(c.errs, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
}

func (c *checker) list(l *parse.ListNode, dot reflect.Type) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		c.node(n, dot)
	}
}

func (c *checker) node(n parse.Node, dot reflect.Type) {
	switch n := n.(type) {
	case *parse.ActionNode:
		typ := c.pipe(n.Pipe, dot)
		c.declare(n.Pipe, typ)
	case *parse.IfNode:
		c.scoped(func() {
			c.declare(n.Pipe, c.pipe(n.Pipe, dot))
			c.list(n.List, dot)
			c.list(n.ElseList, dot)
		})
	case *parse.WithNode:
		c.scoped(func() {
			typ := c.pipe(n.Pipe, dot)
			c.declare(n.Pipe, typ)
			c.list(n.List, typ)
			c.list(n.ElseList, dot)
		})
	case *parse.RangeNode:
		c.scoped(func() { c.loop(n, dot) })
	case *parse.TemplateNode:
		c.call(n, dot)
	}
}

// scoped ends the variables that f declares.
func (c *checker) scoped(f func()) {
	n := len(c.vars)
	f()
	c.vars = c.vars[:n]
}

func (c *checker) loop(n *parse.RangeNode, dot reflect.Type) {
	over := c.pipe(n.Pipe, dot)
	key, value, ok := elements(over)
	if !ok {
		c.fail(n.Pipe, "cannot range over %v", over)
		return
	}
	switch decl := n.Pipe.Decl; len(decl) {
	case 1:
		c.vars = append(c.vars, variable{decl[0].Ident[0], value})
	case 2:
		c.vars = append(c.vars, variable{decl[0].Ident[0], key}, variable{decl[1].Ident[0], value})
	}
	c.list(n.List, value)
	c.list(n.ElseList, dot)
}

func (c *checker) call(n *parse.TemplateNode, dot reflect.Type) {
	typ := none
	if n.Pipe != nil {
		typ = c.pipe(n.Pipe, dot)
	}
	if tree := c.trees[n.Name]; tree == nil || tree.Root == nil {
		c.fail(n, "no template %q is defined", n.Name)
		return
	}
	c.template(n.Name, typ)
}

// declare adds the variable of a pipe, or makes it of an unknown type where it is assigned
// another one.
func (c *checker) declare(p *parse.PipeNode, typ reflect.Type) {
	for _, v := range p.Decl {
		if !p.IsAssign {
			c.vars = append(c.vars, variable{v.Ident[0], typ})
			continue
		}
		for i := range c.vars {
			if c.vars[i].name == v.Ident[0] && c.vars[i].typ != typ {
				c.vars[i].typ = nil
			}
		}
	}
}

// pipe returns the type of a pipe's value; nil is an unknown one.
func (c *checker) pipe(p *parse.PipeNode, dot reflect.Type) reflect.Type {
	var typ reflect.Type
	for _, cmd := range p.Cmds {
		typ = c.command(cmd, dot)
	}
	return typ
}

func (c *checker) command(cmd *parse.CommandNode, dot reflect.Type) reflect.Type {
	typ := c.operand(cmd.Args[0], dot)
	for _, arg := range cmd.Args[1:] {
		c.operand(arg, dot)
	}
	return typ
}

func (c *checker) operand(n parse.Node, dot reflect.Type) reflect.Type {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return c.fields(n, dot, n.Ident)
	case *parse.VariableNode:
		return c.fields(n, c.variable(n.Ident[0]), n.Ident[1:])
	case *parse.ChainNode:
		return c.fields(n, c.operand(n.Node, dot), n.Field)
	case *parse.PipeNode:
		return c.pipe(n, dot)
	case *parse.IdentifierNode:
		return c.result(n.Ident)
	}
	return nil
}

func (c *checker) variable(name string) reflect.Type {
	for i := len(c.vars) - 1; i >= 0; i-- {
		if c.vars[i].name == name {
			return c.vars[i].typ
		}
	}
	return nil
}

// result returns the type that a function returns; nil for one that is built in.
func (c *checker) result(name string) reflect.Type {
	f := reflect.TypeOf(c.funcs[name])
	if f == nil || f.Kind() != reflect.Func || f.NumOut() == 0 {
		return nil
	}
	return f.Out(0)
}

// fields returns the type behind a chain of names, and reports the first one that is missing.
func (c *checker) fields(n parse.Node, typ reflect.Type, names []string) reflect.Type {
	for _, name := range names {
		next, problem := field(typ, name)
		if problem != "" {
			c.fail(n, "%s", problem)
			return nil
		}
		typ = next
	}
	return typ
}
