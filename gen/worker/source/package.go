package source

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
)

// maxFile is the most that is read of one file.
const maxFile = 16 << 20

// Package is a folder of Go files of one package, and what is to be added to them.
type Package struct {
	Dir  string // with slashes, relative to the root
	Name string // of the package

	files   []*file // sorted by path
	imports Imports
}

// file is one Go file.
type file struct {
	path    string
	before  []byte // nil: there is none yet
	text    []byte // with what was added
	mode    fs.FileMode
	link    bool // nothing is written through it
	bound   bool // by build constraints: it may not be part of the package
	foreign bool // of another package
	set     *token.FileSet
	ast     *ast.File
}

// Read parses the Go files of a folder of a project. A folder that is not there is a package
// without files. A file that does not parse is a mistake.List.
func Read(root *os.Root, dir string, imports Imports) (*Package, error) {
	p := &Package{Dir: dir, imports: imports}
	entries, err := fs.ReadDir(root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		entries, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	var wrong mistake.List
	for _, e := range entries {
		if path.Ext(e.Name()) != ".go" || e.IsDir() || strings.HasPrefix(e.Name(), "_") || strings.HasPrefix(e.Name(), ".") {
			continue // the go command passes over the latter
		}
		f, err := read(root, path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, f.parse()...)
		p.files = append(p.files, f)
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	p.Name = p.name()
	for _, f := range p.files {
		f.foreign = f.ast.Name.Name != p.Name
	}
	return p, nil
}

func read(root *os.Root, name string) (*file, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	f := &file{path: name, mode: info.Mode().Perm(), link: info.Mode()&fs.ModeSymlink != 0}
	if f.link {
		if info, err = root.Stat(name); err != nil {
			return nil, fmt.Errorf("source: %s is a symbolic link that leads nowhere in the project: %w", name, err)
		}
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("source: %s is not a file", name)
	}
	in, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	defer in.Close()
	if f.before, err = io.ReadAll(io.LimitReader(in, maxFile+1)); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if len(f.before) > maxFile {
		return nil, fmt.Errorf("source: %s has more than %d MiB", name, maxFile>>20)
	}
	f.text = f.before
	return f, nil
}

// parse reads the text, and returns what is wrong in it.
func (f *file) parse() mistake.List {
	f.set = token.NewFileSet()
	tree, err := parser.ParseFile(f.set, f.path, f.text, parser.ParseComments|parser.SkipObjectResolution|parser.AllErrors)
	if err == nil {
		f.ast, f.bound = tree, bound(f.path, tree)
		return nil
	}
	list, ok := errors.AsType[scanner.ErrorList](err)
	if !ok {
		return mistake.List{{File: f.path, Message: err.Error(), Hint: "correct the file; nothing was written"}}
	}
	var out mistake.List
	seen := map[int]bool{}
	for _, e := range list {
		line, column := f.place(e.Pos.Offset)
		if seen[line] {
			continue // what follows from the first
		}
		seen[line] = true
		out = append(out, f.wrong(line, column, e.Msg, "correct it; nothing was written"))
	}
	return out
}

// wrong is a mistake at a place of the file.
func (f *file) wrong(line, column int, message, hint string) mistake.Mistake {
	lines := bytes.Split(f.text, []byte("\n"))
	text := ""
	if line >= 1 && line <= len(lines) {
		text = strings.TrimSuffix(string(lines[line-1]), "\r")
	}
	return mistake.Mistake{File: f.path, Line: line, Column: column, Source: text, Message: message, Hint: hint}
}

// at is a mistake where a node of the tree begins.
func (f *file) at(n ast.Node, message, hint string) error {
	line, column := f.place(f.offset(n.Pos()))
	return mistake.List{f.wrong(line, column, message, hint)}.Err()
}

// offset is where something begins, whatever //line says.
func (f *file) offset(pos token.Pos) int { return f.set.PositionFor(pos, false).Offset }

// place is the line, and the column in characters, of an offset.
func (f *file) place(offset int) (line, column int) {
	before := f.text[:min(offset, len(f.text))]
	begin := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[begin:]) + 1
}

// bound reports whether build constraints may leave a file out.
func bound(name string, tree *ast.File) bool {
	for _, group := range tree.Comments {
		if group.Pos() > tree.Package {
			break
		}
		for _, c := range group.List {
			if constraint.IsGoBuild(c.Text) || constraint.IsPlusBuild(c.Text) {
				return true
			}
		}
	}
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".go"), "_test")
	parts := strings.Split(base, "_")
	return slices.ContainsFunc(parts[1:], goname.IsConstraint)
}

func (f *file) test() bool { return strings.HasSuffix(f.path, "_test.go") }

// name is the name of most files' package; that of the folder without files.
func (p *Package) name() string {
	votes := map[string]int{}
	for _, f := range p.files {
		name := f.ast.Name.Name
		if f.test() {
			name = strings.TrimSuffix(name, "_test")
		}
		weight := 100
		if f.bound {
			weight = 1 // a program beside the package is excluded so
		}
		votes[name] += weight
	}
	best := ""
	for _, f := range p.files {
		if name := f.ast.Name.Name; votes[name] > votes[best] {
			best = name
		}
	}
	return cmp.Or(best, folderName(p.Dir))
}

// folderName is a package's name that is made of its folder's.
func folderName(dir string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(path.Base(dir)))
	if name = strings.TrimLeft(name, "0123456789_"); name == "" || token.IsKeyword(name) {
		return "workers"
	}
	return name
}

// Imports returns the packages that added text may name.
func (p *Package) Imports() Imports { return p.imports }

// find returns a file by its path; nil if there is none.
func (p *Package) find(name string) *file {
	for _, f := range p.files {
		if f.path == name {
			return f
		}
	}
	return nil
}

// own calls yield with the files of the package itself: without tests, or with those in it alone.
func (p *Package) own(tests bool) []*file {
	var out []*file
	for _, f := range p.files {
		if !f.foreign && (!f.test() || tests) {
			out = append(out, f)
		}
	}
	return out
}

// Has reports whether something is declared under a name at the package's top: a type, a
// function, a variable or a constant, in a test or not.
func (p *Package) Has(name string) bool {
	_, n := p.declared(name)
	return n != nil
}

// declared finds what a name is declared as at the package's top.
func (p *Package) declared(name string) (*file, ast.Node) {
	for _, f := range p.own(true) {
		for _, d := range f.ast.Decls {
			if n := named(d, name); n != nil {
				return f, n
			}
		}
	}
	return nil, nil
}

func named(d ast.Decl, name string) ast.Node {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && d.Name.Name == name {
			return d
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.Name == name {
					return s
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.Name == name {
						return s
					}
				}
			}
		}
	}
	return nil
}
