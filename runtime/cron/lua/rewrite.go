package lua

import (
	"fmt"

	"github.com/yuin/gopher-lua/ast"
)

// The VM executes some instructions that allocate as much as a program likes, in one step: it
// joins strings, fills a table up to an index, and makes tables and closures. They are replaced, in the syntax
// tree, by calls of functions of Go that account for the memory before it is allocated. The
// functions are local variables around the whole file, with names that Lua cannot spell.
const (
	hiddenConcat  = "\x00concat"  // (a, b, ...) is a .. b ..
	hiddenTable   = "\x00table"   // (n, table) returns the table, which has n elements
	hiddenRecord  = "\x00record"  // (table or nil, n, key, value, ...) sets fields, n in all, and returns the table
	hiddenFill    = "\x00fill"    // (table, n, ...) appends to the n elements of a table, and returns it
	hiddenClosure = "\x00closure" // (function) returns it
	hiddenSet     = "\x00set"     // (object, key, value) is object[key] = value
)

// hidden are all of them, in the order in which a file is passed them.
var hidden = []string{hiddenConcat, hiddenTable, hiddenRecord, hiddenFill, hiddenClosure, hiddenSet}

// maxNesting is how deep statements and expressions may be within one another: the compiler
// calls itself for each.
const maxNesting = 200

// maxOperands is how many operands of .. are joined by one call, which takes a register for each.
const maxOperands = 40

// nestingError is where a file is nested too deep.
type nestingError struct{ line int }

func (e *nestingError) Error() string {
	return fmt.Sprintf("more than %d statements and expressions within one another", maxNesting)
}

// rewriter replaces instructions of one file. The first error is kept.
type rewriter struct {
	depth int
	err   error
}

// rewrite returns a chunk that returns the rewritten chunk as a function, when it is called with the
// hidden functions.
func rewrite(chunk []ast.Stmt) ([]ast.Stmt, error) {
	r := &rewriter{}
	inner := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true}, Stmts: r.block(chunk)}
	if r.err != nil {
		return nil, r.err
	}
	line, last := 1, 1
	if n := len(chunk); n > 0 {
		last = max(chunk[n-1].Line(), chunk[n-1].LastLine()) + 1
	}
	locals := &ast.LocalAssignStmt{Names: hidden, Exprs: []ast.Expr{placed(&ast.Comma3Expr{}, line)}}
	out := &ast.ReturnStmt{Exprs: []ast.Expr{inner}}
	inner.SetLine(line)
	inner.SetLastLine(last)
	locals.SetLine(line)
	out.SetLine(last)
	return []ast.Stmt{locals, out}, nil
}

func placed[N ast.PositionHolder](n N, line int) N {
	n.SetLine(line)
	n.SetLastLine(line)
	return n
}

func ident(name string, line int) ast.Expr { return placed(&ast.IdentExpr{Value: name}, line) }

func number(n, line int) ast.Expr {
	return placed(&ast.NumberExpr{Value: fmt.Sprint(n)}, line)
}

// call is a call of a hidden function, which returns one value.
func call(name string, line int, args ...ast.Expr) *ast.FuncCallExpr {
	return placed(&ast.FuncCallExpr{Func: ident(name, line), Args: args, AdjustRet: true}, line)
}

// enter counts a level; what is deeper than maxNesting is left as it is, for the file is refused.
func (r *rewriter) enter(at ast.PositionHolder) bool {
	r.depth++
	if r.depth > maxNesting && r.err == nil {
		r.err = &nestingError{at.Line()}
	}
	return r.err == nil
}

func (r *rewriter) leave() { r.depth-- }

func (r *rewriter) exprs(list []ast.Expr) []ast.Expr {
	for i, e := range list {
		list[i] = r.expr(e)
	}
	return list
}

func (r *rewriter) expr(e ast.Expr) ast.Expr {
	if e == nil {
		return nil
	}
	defer r.leave()
	if !r.enter(e) {
		return e
	}
	switch e := e.(type) {
	case *ast.StringConcatOpExpr:
		return r.concat(e)
	case *ast.TableExpr:
		return r.table(e)
	case *ast.FunctionExpr:
		return call(hiddenClosure, e.Line(), r.function(e))
	case *ast.AttrGetExpr:
		e.Object, e.Key = r.expr(e.Object), r.expr(e.Key)
	case *ast.FuncCallExpr:
		e.Func, e.Receiver, e.Args = r.expr(e.Func), r.expr(e.Receiver), r.exprs(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.expr(e.Expr)
	}
	return e
}

func (r *rewriter) function(f *ast.FunctionExpr) *ast.FunctionExpr {
	f.Stmts = r.block(f.Stmts)
	return f
}

// concat joins the operands of a .. b .. c, which the parser has nested to the right, by one
// call for some of them.
func (r *rewriter) concat(e *ast.StringConcatOpExpr) ast.Expr {
	var operands []ast.Expr
	var last ast.Expr = e
	for {
		c, ok := last.(*ast.StringConcatOpExpr)
		if !ok || r.err != nil {
			break
		}
		operands = append(operands, r.expr(c.Lhs))
		last = c.Rhs
	}
	operands = append(operands, r.expr(last))
	for i, o := range operands {
		operands[i] = single(o)
	}
	out := call(hiddenConcat, e.Line(), operands[:min(maxOperands, len(operands))]...)
	for rest := operands[len(out.Args):]; len(rest) > 0; {
		n := min(maxOperands, len(rest))
		out = call(hiddenConcat, e.Line(), append([]ast.Expr{out}, rest[:n]...)...)
		rest = rest[n:]
	}
	return out
}

// single has an expression return one value, where it is the last of several.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// table accounts for a constructor. Fields with keys are set by calls, some at a time, and
// several values at its end, f() or ..., are appended by one, which sees how many there are.
func (r *rewriter) table(e *ast.TableExpr) ast.Expr {
	var elements []*ast.Field
	var pairs []ast.Expr
	var tail ast.Expr
	for i, f := range e.Fields {
		value := r.expr(f.Value)
		switch {
		case f.Key != nil:
			pairs = append(pairs, single(r.expr(f.Key)), single(value))
		case i == len(e.Fields)-1 && several(value):
			tail = value
		default:
			elements = append(elements, &ast.Field{Value: single(value)})
		}
	}
	line := e.Line()
	var out ast.Expr = placed(&ast.NilExpr{}, line)
	if e.Fields = elements; len(elements) > 0 || len(pairs) == 0 {
		out = call(hiddenTable, line, number(len(elements), line), e)
	}
	for size := len(pairs) / 2; len(pairs) > 0; {
		n := min(len(pairs), maxOperands)
		args := append([]ast.Expr{out, number(size, line)}, pairs[:n]...)
		out, pairs = call(hiddenRecord, line, args...), pairs[n:]
	}
	if tail != nil {
		out = call(hiddenFill, line, out, number(len(elements), line), tail)
	}
	return out
}

func several(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}
