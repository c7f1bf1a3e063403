package names_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/datatypes"
	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/internal/story"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/names"
)

// Everything that the stages print for the definitions of the stories and for the
// built-in ones was declared: a name that is printed without being declared could
// collide unseen.
func TestWhatIsPrintedIsDeclared(t *testing.T) {
	all, err := story.Read(filepath.Join("..", "..", "testdata", "definitions"))
	if err != nil {
		t.Fatal(err)
	}
	projects := map[string]fs.FS{"builtins": builtins(t)}
	for _, s := range all {
		projects[s.Name] = s.Project
	}
	seen := 0
	for name, project := range projects {
		t.Run(name, func(t *testing.T) {
			p, err := load.Load(project, gen.Behaviors)
			if err == nil {
				err = behavior.Apply(p, gen.Behaviors)
			}
			if err == nil {
				err = names.Check(p)
			}
			if err != nil {
				t.Fatal(err)
			}
			d := declared{t, names.Of(p), 0}
			sql := dialect.Lower(p, gen.Behaviors)
			for _, db := range p.Databases() {
				d.sql(sql.Databases[db].Schema(), sql.Databases[db].QueriesFile())
			}
			files, err := golang.Print(p, sql, nil, gen.Behaviors)
			if err != nil {
				t.Fatal(err)
			}
			for name, text := range files {
				file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				for _, decl := range file.Decls {
					d.decl(decl)
				}
			}
			seen += d.seen
		})
	}
	if seen < 1000 {
		t.Errorf("only %d names were looked at: this test reads the wrong place", seen)
	}
}

func builtins(t *testing.T) fs.FS {
	project := fstest.MapFS{}
	for _, name := range datatypes.Names() {
		text, err := datatypes.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		project["datatypes/"+name+".yaml"] = &fstest.MapFile{Data: text}
	}
	return project
}

// declared compares what is printed with what was declared.
type declared struct {
	t     *testing.T
	taken names.Taken
	seen  int
}

func (d *declared) want(space, text string) {
	d.seen++
	if _, ok := d.taken[space][text]; !ok {
		d.t.Errorf("%s is printed in %s and not declared", text, space)
	}
}

// member is a field or method of a Go type. Tables is part of DB and Tx, whose
// members hide its own.
func (d *declared) member(goType, text string) {
	if goType == "Tx" || goType == "Tables" {
		goType = "DB"
	}
	d.want(model.Members(goType), text)
}

func (d *declared) decl(decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		d.function(decl)
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				d.want(model.SpaceGo, spec.Name.Name)
				d.members(spec.Name.Name, spec.Type)
			case *ast.ValueSpec:
				d.values(spec)
			}
		}
	}
}

// function is one of the package, or a method. Types without fields, such as
// those of selects, have methods that nothing could collide with.
func (d *declared) function(f *ast.FuncDecl) {
	if f.Recv == nil {
		if f.Name.Name != "init" {
			d.want(model.SpaceGo, f.Name.Name)
		}
		return
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	name := of.(*ast.Ident).Name
	if _, has := d.taken[model.Members(name)]; has || name == "Tx" {
		d.member(name, f.Name.Name)
	}
}

func (d *declared) values(spec *ast.ValueSpec) {
	for i, name := range spec.Names {
		if name.Name == "_" {
			continue
		}
		d.want(model.SpaceGo, name.Name)
		if i < len(spec.Values) {
			if value, ok := spec.Values[i].(*ast.CompositeLit); ok {
				d.members(name.Name, value.Type)
			}
		}
	}
}

// members are those of a struct or an interface.
func (d *declared) members(goType string, expr ast.Expr) {
	var list *ast.FieldList
	switch expr := expr.(type) {
	case *ast.StructType:
		list = expr.Fields
	case *ast.InterfaceType:
		list = expr.Methods
	default:
		return
	}
	for _, f := range list.List {
		for _, name := range f.Names {
			d.member(goType, name.Name)
		}
		if id, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 && !strings.HasSuffix(id.Name, "Upcaster") { // whose methods are declared
			d.member(goType, id.Name)
		}
	}
}

var created = []struct {
	pattern *regexp.Regexp
	space   string
}{
	{regexp.MustCompile("(?m)^CREATE TABLE [\"`]?(\\w+)"), model.SpaceRelations},
	{regexp.MustCompile("(?m)^CREATE (?:UNIQUE )?INDEX [\"`]?(\\w+)"), model.SpaceRelations},
	{regexp.MustCompile("(?m)^  (?:UNIQUE )?KEY [\"`]?(\\w+)"), model.SpaceRelations},
	{regexp.MustCompile("CONSTRAINT [\"`]?(\\w+)[\"`]? FOREIGN"), model.SpaceForeignKeys},
	{regexp.MustCompile(`(?m)^-- name: (\w+) `), model.SpaceQueries},
}

func (d *declared) sql(scripts ...string) {
	for _, script := range scripts {
		for _, c := range created {
			for _, m := range c.pattern.FindAllStringSubmatch(script, -1) {
				d.want(c.space, m[1])
			}
		}
	}
}
