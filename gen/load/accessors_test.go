package load

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"testing/fstest"
)

// A datatype whose accessor would have the name of a method of DB or Tx is a
// mistake: the method would hide the accessor, or the accessor the method. What
// the methods are is read from generated code itself.
func TestAccessorsHideNoMethod(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../generated/db.gen.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{"Queries": true, "Tables": true} // fields
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv == nil || !f.Name.IsExported() {
			continue
		}
		if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
			if of := star.X.(*ast.Ident).Name; of == "DB" || of == "Tx" {
				names[f.Name.Name] = true
			}
		}
	}
	for _, known := range []string{"Conn", "Close", "Store", "Run"} {
		if !names[known] {
			t.Fatalf("generated/db.gen.go has no method %s: this test reads the wrong place", known)
		}
	}
	for name := range names {
		list := mistakes(t, fstest.MapFS{
			"datatypes/a.yaml": {Data: []byte("name: some_thing\ngo_name: " + name + "\nfields:\n  - {name: title, type: text}\n")},
		})
		if len(list) == 0 || !strings.Contains(list[0].Message, name) {
			t.Errorf("a datatype with the accessor %s is taken: %v", name, list)
		}
	}
}
