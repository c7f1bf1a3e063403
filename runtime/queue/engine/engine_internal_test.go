package engine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A part of the engine refers to those below it alone, so that each can be read and
// tested without the others: no two types of the package have fields that lead from
// one to the other and back. A claim and its handler's Claim are one value in two.
func TestPartsHaveNoCycles(t *testing.T) {
	fields := structFields(t)
	for _, part := range []string{"engine", "fetcher", "performer", "settler", "heartbeat", "leaseWatch", "limiter", "maintenance"} {
		if fields[part] == nil {
			t.Errorf("there is no struct type %s: this test looks at nothing", part)
		}
	}
	delete(fields["claim"], "Claim")
	for face, part := range map[string]string{"endSettler": "settler", "startLimiter": "limiter"} {
		fields[face] = map[string]bool{part: true}
	}
	done := map[string]bool{}
	var visit func(name string, path []string)
	visit = func(name string, path []string) {
		if i := slices.Index(path, name); i >= 0 {
			t.Errorf("a cycle: %s", strings.Join(append(path[i:], name), " -> "))
			return
		}
		if done[name] {
			return
		}
		for _, next := range slices.Sorted(maps.Keys(fields[name])) {
			visit(next, append(path, name))
		}
		done[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		visit(name, nil)
	}
}

// structFields returns the names that the fields of each struct type mention.
func structFields(t *testing.T) map[string]map[string]bool {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]bool{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				all[spec.Name.Name] = map[string]bool{}
				for _, field := range s.Fields.List {
					ast.Inspect(field.Type, func(n ast.Node) bool {
						if id, ok := n.(*ast.Ident); ok {
							all[spec.Name.Name][id.Name] = true
						}
						_, other := n.(*ast.SelectorExpr) // a type of another package
						return !other
					})
				}
			}
			return false
		})
	}
	return all
}
