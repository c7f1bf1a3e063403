package action

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// permitted are the functions of templates. Those that are left out make a text longer than it was,
// so that a short template could make one without end.
var permitted = []string{"and", "date", "eq", "ge", "gt", "index", "le", "len", "lt", "ne", "not", "or"}

// permitter reports what a template of a job must not have: it comes from a row of the
// database, and must end soon, whatever it says. It has no variables, no templates within, one range
// at a time, over the rows, and no functions but permitted.
type permitter struct {
	failed []error
	withs  int // that stand around a node: the dot is no longer what the template was given
}

func (p *permitter) fail(format string, args ...any) {
	p.failed = append(p.failed, fmt.Errorf(format, args...))
}

// list checks the nodes of a list, which is perhaps within a range.
func (p *permitter) list(l *parse.ListNode, ranging bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		p.node(n, ranging)
	}
}

func (p *permitter) node(n parse.Node, ranging bool) {
	switch n := n.(type) {
	case *parse.ActionNode:
		p.pipe(n.Pipe)
	case *parse.IfNode:
		p.pipe(n.Pipe)
		p.list(n.List, ranging)
		p.list(n.ElseList, ranging)
	case *parse.WithNode:
		p.pipe(n.Pipe)
		p.withs++
		p.list(n.List, ranging)
		p.withs--
		p.list(n.ElseList, ranging)
	case *parse.RangeNode:
		if ranging {
			p.fail("line %d: a range within a range is not permitted", n.Line)
		}
		if over := n.Pipe.String(); over != "$.Rows" && (over != ".Rows" || p.withs > 0) {
			p.fail("line %d: range is over $.Rows alone, not over %s", n.Line, over)
			return
		}
		p.list(n.List, true)
		p.list(n.ElseList, ranging)
	case *parse.TemplateNode:
		p.fail("line %d: template is not permitted", n.Line)
	}
}

func (p *permitter) pipe(n *parse.PipeNode) {
	if len(n.Decl) > 0 {
		p.fail("line %d: variables are not permitted", n.Line)
	}
	for _, c := range n.Cmds {
		for _, arg := range c.Args {
			p.argument(arg, n.Line)
		}
	}
}

func (p *permitter) argument(n parse.Node, line int) {
	switch n := n.(type) {
	case *parse.IdentifierNode:
		if !slices.Contains(permitted, n.Ident) {
			p.fail("line %d: the function %s is not permitted; there are %s", line, n.Ident, strings.Join(permitted, ", "))
		}
	case *parse.PipeNode:
		p.pipe(n)
	case *parse.ChainNode:
		p.argument(n.Node, line)
	}
}
