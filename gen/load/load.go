// Package load reads a project: its configuration, its definitions and its own
// queries. It ends with a model that the other stages can trust, or with every
// mistake of every file, each with its line, its column and what to write
// instead.
//
// A file goes through four steps, and each reports all that it finds:
//
//  1. text: UTF-8, YAML, one document, none of YAML's cleverness (source.go)
//  2. form: known keys holding what they should, from the tables of
//     gen/language (shape.go)
//  3. sense: defaults that hold to their field's rules, indexes over fields
//     that exist (field.go, index.go), and what behaviors make of their sections
//     (behavior.go)
//  4. the project as a whole: references, circles, indexes (link.go)
//
// A step goes on with what the one before could make out, so that one slip
// does not hide the next; and it stays silent about what was reported.
package load

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// ConfigFile is the configuration's name in the project's folder. It may be
// missing: all of it has defaults.
const ConfigFile = "modulagen.yaml"

// Load reads the project in a folder, in whose definitions each of the behaviors
// may have a section. Its error is a mistake.List.
func Load[B Behavior](fsys fs.FS, behaviors []B) (*model.Project, error) {
	l := &loader{fsys: fsys}
	var keys []language.Key
	for _, b := range behaviors {
		l.behaviors, keys = append(l.behaviors, b), append(keys, b.Key())
	}
	l.grammar = language.Definition(keys)
	p := &model.Project{Config: l.config(Configuration(behaviors))}
	if len(l.found) == 0 {
		l.definitions(p.Config.Datatypes)
		p.Queries = l.queries(p)
		l.link()
		l.changes(p.Config)
		l.readConfiguration()
	}
	for _, def := range l.defs {
		l.found = append(l.found, def.f.found...)
		p.Datatypes = append(p.Datatypes, def.Datatype)
	}
	slices.SortStableFunc(p.Datatypes, func(a, b *model.Datatype) int { return cmp.Compare(a.Name, b.Name) })
	if err := l.found.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

type loader struct {
	fsys      fs.FS
	behaviors []Behavior
	grammar   *language.Mapping // of a definition

	configuration *file // modulagen.yaml; nil: there is none

	defs   []*Definition          // in the order of their files
	byName map[string]*Definition // once all are read
	found  mistake.List           // of files that are no definitions
	named  []string               // datatypes of files that could not be read, as far as that can be guessed
}

// config reads modulagen.yaml and fills in what it leaves out.
func (l *loader) config(grammar *language.Mapping) model.Config {
	c := model.Config{Datatypes: "datatypes", Queries: "queries", Output: "generated", Workers: "workers", Migrations: "migrations"}
	if _, err := fs.Lstat(l.fsys, ConfigFile); errors.Is(err, fs.ErrNotExist) {
		c.Package = path.Base(c.Output)
		return c
	}
	f := open(l.fsys, ConfigFile)
	if f.root != nil {
		f.mapping(f.root, grammar, "the configuration", nil)
		c.Datatypes = cmp.Or(node.Text(f.root, "datatypes"), c.Datatypes)
		c.Queries = cmp.Or(node.Text(f.root, "queries"), c.Queries)
		c.Output = cmp.Or(node.Text(f.root, "output"), c.Output)
		c.Package = node.Text(f.root, "package")
		c.Workers = cmp.Or(node.Text(f.root, "workers"), c.Workers)
		c.Migrations = cmp.Or(node.Text(f.root, "migrations"), c.Migrations)
		c.Drop = f.dropped(f.root)
		c.Databases = f.targeted()
		l.folders(f, c)
		unseen(f, c)
		c.Package = l.packageName(f, c)
	}
	l.found, l.configuration = append(l.found, f.found...), f
	return c
}

// folders keeps written code out of the folders that are read.
func (l *loader) folders(f *file, c model.Config) {
	named := []struct{ key, folder string }{{"datatypes", c.Datatypes}, {"queries", c.Queries}, {"migrations", c.Migrations}, {"output", c.Output}}
	if node.Get(f.root, "workers") != nil { // unless given, it matters to scaffold alone
		named = append(named, struct{ key, folder string }{"workers", c.Workers})
	}
	for i, a := range named {
		for _, b := range named[:i] {
			shared := ""
			switch {
			case a.folder == b.folder, a.key == "output" && within(a.folder, b.folder):
				shared = b.folder
			case a.key == "output" && b.key == "migrations" && within(b.folder, a.folder):
				shared = a.folder // where generate writes copies of them
			}
			if shared != "" {
				at := node.Or(node.Get(f.root, a.key), node.Get(f.root, b.key), f.root)
				f.wrong(at, fmt.Sprintf("%s and %s are both in %s", b.key, a.key, shared), "give each a folder of its own")
				break
			}
		}
	}
}

func within(folder, other string) bool { return strings.HasPrefix(folder+"/", other+"/") }

// unseen keeps written code out of folders that the go command does not build;
// those that start with a point the language refuses.
func unseen(f *file, c model.Config) {
	for _, named := range []struct{ key, folder string }{{"output", c.Output}, {"workers", c.Workers}} {
		for part := range strings.SplitSeq(named.folder, "/") {
			if !goname.IsFolder(part) && part != "" && part[0] != '.' {
				f.wrong(node.Or(node.Get(f.root, named.key), f.root), fmt.Sprintf("the go command does not build what is in a folder called %s", part), "choose another folder for "+named.key)
				break
			}
		}
	}
}

func (l *loader) packageName(f *file, c model.Config) string {
	if c.Package != "" {
		if node.Matches(language.NamePattern, c.Package) && !goname.IsPackage(c.Package) {
			f.wrong(node.Or(node.Get(f.root, "package"), f.root), fmt.Sprintf("package %q cannot be imported by that name", c.Package), "choose a name that Go does not use itself (a keyword, a built-in name, main, init, documentation) and that does not end in _test")
		}
		return c.Package
	}
	name := path.Base(c.Output)
	if goname.IsPackage(name) {
		return name
	}
	if at := node.Get(f.root, "output"); at != nil && len(f.found) == 0 {
		hint := "add package: and a name"
		if bent := strings.ReplaceAll(snake(name), "_", ""); goname.IsPackage(bent) {
			hint = "add package: " + bent
		}
		f.wrong(at, fmt.Sprintf("the last part of output, %q, cannot be a package's name", name), hint)
	}
	return name
}

// definitions reads every definition in a folder.
func (l *loader) definitions(folder string) {
	entries, err := fs.ReadDir(l.fsys, folder)
	if err != nil {
		hint := "create it with a definition in it, or say in " + ConfigFile + " where the definitions are"
		l.found = append(l.found, mistake.Mistake{File: folder, Message: "the folder of the definitions cannot be read: " + reason(err), Hint: hint})
		return
	}
	read := 0
	for _, e := range entries {
		if isYAML(e.Name()) {
			if read++; read > language.MaxDatatypes {
				l.found = append(l.found, mistake.Mistake{
					File: folder, Message: fmt.Sprintf("more than %d definitions", language.MaxDatatypes), Hint: mistake.Printable("the first one too many is " + e.Name()),
				})
				return
			}
			l.definition(path.Join(folder, e.Name()))
		}
		if upper := e.Name(); !isYAML(upper) && isYAML(strings.ToLower(upper)) {
			l.misnamed(path.Join(folder, upper))
			continue
		}
		if e.IsDir() && !isYAML(e.Name()) {
			l.nested(path.Join(folder, e.Name()))
		}
	}
	if len(l.defs) == 0 && len(l.found) == 0 {
		l.found = append(l.found, mistake.Mistake{File: folder, Message: "the folder holds no definition", Hint: "add one, such as " + folder + "/article.yaml"})
	}
}

// misnamed reports a file whose name has its end in upper case: it would be read on one system and
// not on another.
func (l *loader) misnamed(name string) {
	end := path.Ext(name)
	l.found = append(l.found, mistake.Mistake{
		File: name, Message: fmt.Sprintf("a file whose name ends in %s is not read", end),
		Hint: mistake.Printable("rename it to " + strings.TrimSuffix(path.Base(name), end) + strings.ToLower(end)),
	})
}

func (l *loader) definition(name string) {
	f := open(l.fsys, name)
	if f.root == nil {
		l.found = append(l.found, f.found...)
		l.named = append(l.named, f.guess()...)
		return
	}
	l.defs = append(l.defs, l.define(f))
}

var nameLine = regexp.MustCompile(`^name: *["']?([a-z][a-z0-9_]*)`)

// guess returns the datatype that an unreadable file most likely defines, so
// that references to it are not reported too.
func (f *file) guess() []string {
	for _, line := range f.lines {
		if m := nameLine.FindStringSubmatch(line); m != nil {
			return m[1:]
		}
	}
	return []string{strings.TrimSuffix(path.Base(f.path), path.Ext(f.path))}
}

// nested reports definitions in folders below, which no one would miss until
// their table is.
func (l *loader) nested(folder string) {
	entries, err := fs.ReadDir(l.fsys, folder)
	if err != nil || strings.HasPrefix(path.Base(folder), ".") {
		return
	}
	for _, e := range entries {
		if isYAML(e.Name()) && !e.IsDir() {
			l.found = append(l.found, mistake.Mistake{
				File: path.Join(folder, e.Name()), Message: "definitions in folders below are not read",
				Hint: mistake.Printable("move it up into " + path.Dir(folder)),
			})
		}
	}
}

func isYAML(name string) bool {
	return (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")) && !strings.HasPrefix(name, ".")
}
