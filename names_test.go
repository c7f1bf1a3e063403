package modulagen_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/generated"
)

// definition is a datatype's file.
func definition(name, goName string) *fstest.MapFile {
	if goName != "" {
		goName = "go_name: " + goName + "\n"
	}
	return &fstest.MapFile{Data: []byte("name: " + name + "\n" + goName + "fields: [{name: title, type: text}]\n")}
}

// TestAccessorsHideNothing: no datatype may have an accessor that DB or Tx has a
// method or a field of the same name for, whatever the generator prints there.
func TestAccessorsHideNothing(t *testing.T) {
	names := map[string]bool{}
	for _, typ := range []reflect.Type{reflect.TypeFor[*generated.DB](), reflect.TypeFor[*generated.Tx]()} {
		for i := range typ.NumMethod() {
			names[typ.Method(i).Name] = true
		}
		for i := range typ.Elem().NumField() {
			if f := typ.Elem().Field(i); f.IsExported() {
				names[f.Name] = true
			}
		}
	}
	for _, name := range []string{"Tx", "Close", "Store", "Conn", "Run", "Drain", "Tables"} {
		if !names[name] {
			t.Errorf("%s is no method of DB or Tx: is the test still about them?", name)
		}
	}
	for name := range names {
		fsys := fstest.MapFS{"datatypes/x.yaml": definition(strings.ToLower(name), "")}
		if _, err := load.Load(fsys); err == nil || !strings.Contains(err.Error(), "would be "+name+" in Go") {
			t.Errorf("a datatype %s would have an accessor %s: %v", strings.ToLower(name), name, err)
		}
	}
}

// TestRowsHideNothing: no row may have the Go name of what every generated
// package declares.
func TestRowsHideNothing(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "generated/db.gen.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	found := 0
	for _, name := range names {
		if !ast.IsExported(name) {
			continue
		}
		found++
		fsys := fstest.MapFS{"datatypes/x.yaml": definition("harmless", name)}
		if _, err := load.Load(fsys); err == nil || !strings.Contains(err.Error(), "would be "+name+" in Go") {
			t.Errorf("a row may be called %s, which the package declares: %v", name, err)
		}
	}
	if found < 5 {
		t.Errorf("found only %d declarations in %v", found, names)
	}
}
