package lua

import (
	"fmt"

	"github.com/yuin/gopher-lua/ast"
)

func (r *rewriter) block(list []ast.Stmt) []ast.Stmt {
	out := make([]ast.Stmt, 0, len(list))
	for _, s := range list {
		out = r.stmt(out, s)
	}
	return out
}

// stmt appends what a statement becomes.
func (r *rewriter) stmt(out []ast.Stmt, s ast.Stmt) []ast.Stmt {
	defer r.leave()
	if !r.enter(s) {
		return out
	}
	switch s := s.(type) {
	case *ast.AssignStmt:
		return append(out, r.assign(s))
	case *ast.LocalAssignStmt:
		return r.local(out, s)
	case *ast.FuncDefStmt:
		return append(out, r.define(s))
	case *ast.FuncCallStmt:
		s.Expr = r.expr(s.Expr)
	case *ast.DoBlockStmt:
		s.Stmts = r.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition, s.Stmts = r.expr(s.Condition), r.block(s.Stmts)
	case *ast.RepeatStmt:
		s.Condition, s.Stmts = r.expr(s.Condition), r.block(s.Stmts)
	case *ast.IfStmt:
		s.Condition, s.Then, s.Else = r.expr(s.Condition), r.block(s.Then), r.block(s.Else)
	case *ast.NumberForStmt:
		s.Init, s.Limit, s.Step, s.Stmts = r.expr(s.Init), r.expr(s.Limit), r.expr(s.Step), r.block(s.Stmts)
	case *ast.GenericForStmt:
		s.Exprs, s.Stmts = r.exprs(s.Exprs), r.block(s.Stmts)
	case *ast.ReturnStmt:
		s.Exprs = r.exprs(s.Exprs)
	}
	return append(out, s)
}

// local leaves a local function as it is, for only so does it see itself, and accounts for it
// behind.
func (r *rewriter) local(out []ast.Stmt, s *ast.LocalAssignStmt) []ast.Stmt {
	if len(s.Names) == 1 && len(s.Exprs) == 1 {
		if f, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
			r.function(f)
			account := placed(&ast.FuncCallStmt{Expr: call(hiddenClosure, s.Line(), ident(s.Names[0], s.Line()))}, s.Line())
			return append(out, s, account)
		}
	}
	s.Exprs = r.exprs(s.Exprs)
	return append(out, s)
}

// define makes an assignment of function a.b:c() ... end.
func (r *rewriter) define(s *ast.FuncDefStmt) ast.Stmt {
	target := s.Name.Func
	if target == nil {
		target = placed(&ast.AttrGetExpr{Object: s.Name.Receiver, Key: placed(&ast.StringExpr{Value: s.Name.Method}, s.Line())}, s.Line())
		s.Func.ParList.Names = append([]string{"self"}, s.Func.ParList.Names...)
	}
	return r.assign(placed(&ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{s.Func}}, s.Line()))
}

// assign has fields of tables be set by a call. Of several targets the values are computed
// before any is set.
func (r *rewriter) assign(s *ast.AssignStmt) ast.Stmt {
	line := s.Line()
	s.Lhs, s.Rhs = r.exprs(s.Lhs), r.exprs(s.Rhs)
	if !anyField(s.Lhs) {
		return s
	}
	if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
		return setField(s.Lhs[0].(*ast.AttrGetExpr), s.Rhs[0], line)
	}
	block := placed(&ast.DoBlockStmt{}, line)
	targets := placed(&ast.LocalAssignStmt{}, line)
	values := placed(&ast.LocalAssignStmt{Exprs: s.Rhs}, line)
	var sets []ast.Stmt
	for i, target := range s.Lhs {
		value := fmt.Sprintf("\x00v%d", i)
		values.Names = append(values.Names, value)
		if field, ok := target.(*ast.AttrGetExpr); ok {
			object, key := fmt.Sprintf("\x00o%d", i), fmt.Sprintf("\x00k%d", i)
			targets.Names = append(targets.Names, object, key)
			targets.Exprs = append(targets.Exprs, single(field.Object), single(field.Key))
			field = placed(&ast.AttrGetExpr{Object: ident(object, line), Key: ident(key, line)}, line)
			sets = append(sets, setField(field, ident(value, line), line))
			continue
		}
		sets = append(sets, placed(&ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{ident(value, line)}}, line))
	}
	block.Stmts = append([]ast.Stmt{targets, values}, sets...)
	return block
}

func anyField(list []ast.Expr) bool {
	for _, e := range list {
		if _, ok := e.(*ast.AttrGetExpr); ok {
			return true
		}
	}
	return false
}

func setField(field *ast.AttrGetExpr, value ast.Expr, line int) ast.Stmt {
	set := call(hiddenSet, line, single(field.Object), single(field.Key), single(value))
	return placed(&ast.FuncCallStmt{Expr: set}, line)
}
