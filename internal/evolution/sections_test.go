package evolution_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/hegner123/modulagen/datatypes"
	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/mistake"
)

// source is a project that the module has for other purposes.
type source struct {
	name  string
	files definitions
}

// sources are the built-ins, the examples of everything that definitions can hold, and the
// stories of behaviors.
func sources(t *testing.T) []source {
	t.Helper()
	out := []source{
		{"datatypes", folder(t, datatypes.Files)},
		{"examples", folder(t, os.DirFS(filepath.Join("..", "kept", "examples")))},
	}
	paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", "behaviors", "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no stories of behaviors: %v", err)
	}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s := source{strings.TrimSuffix(filepath.Base(path), ".txtar"), definitions{}}
		for _, f := range a.Files {
			if dir := filepath.Dir(f.Name); dir == "datatypes" {
				s.files[filepath.Base(f.Name)] = string(f.Data)
			}
		}
		out = append(out, s)
	}
	return out
}

func folder(t *testing.T, fsys fs.FS) definitions {
	t.Helper()
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no definitions: %v", err)
	}
	out := definitions{}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}

// section finds a key of a definition with all that stands below it.
func section(key string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^` + key + `:.*\n(?:(?:[ \t#].*)?\n)*`)
}

// part is one definition that has a section, with those that it needs, once with the section and once
// without it.
type part struct {
	name          string
	with, without definitions
}

// parts are definitions with a section that load without it, at most some for each section.
func parts(t *testing.T, key string) []part {
	t.Helper()
	const most = 1
	var out []part
	for _, s := range sources(t) {
		found := 0
		for _, file := range sortedKeys(s.files) {
			less := section(key).ReplaceAllString(s.files[file], "")
			if less == s.files[file] || found == 1 || len(out) == most {
				continue
			}
			with := needed(s.files, file)
			without := maps.Clone(with)
			without[file] = less
			if _, err := with.read(); err != nil {
				continue
			}
			if _, err := without.read(); err != nil {
				continue
			}
			found++
			out = append(out, part{s.name + "/" + strings.TrimSuffix(file, ".yaml"), with, without})
		}
	}
	return out
}

func sortedKeys(d definitions) []string {
	var out []string
	for k := range d {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// needed is a file with those that it, or one of them, names.
func needed(all definitions, file string) definitions {
	out := definitions{file: all[file]}
	for grown := true; grown; {
		grown = false
		for _, name := range sortedKeys(all) {
			if _, has := out[name]; has {
				continue
			}
			word := regexp.MustCompile(`\b` + regexp.QuoteMeta(declared(all[name])) + `\b`)
			for _, text := range out {
				if word.MatchString(text) {
					out[name], grown = all[name], true
					break
				}
			}
		}
	}
	return out
}

var nameLine = regexp.MustCompile(`(?m)^name: *(\w+)`)

func declared(text string) string {
	if m := nameLine.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return "no name"
}

var asked = regexp.MustCompile(`drop: \[([^\]]*)\]`)

// allowing adds to definitions what mistakes ask for where data is to go.
func (d definitions) allowing(t *testing.T, wrong mistake.List) definitions {
	t.Helper()
	out := maps.Clone(d)
	for _, m := range wrong {
		list := asked.FindString(m.Hint)
		if list == "" {
			t.Fatalf("the mistake does not say what to do: %v", m)
		}
		file := filepath.Base(m.File)
		text := asked.ReplaceAllString(out[file], "")
		if file == load.ConfigFile {
			if old := asked.FindStringSubmatch(out[file]); old != nil {
				list = fmt.Sprintf("drop: [%s, %s]", old[1], asked.FindStringSubmatch(list)[1])
			}
		}
		out[file] = strings.TrimRight(text, "\n") + "\n" + list + "\n"
	}
	return out
}

// TestSections takes the section of each behavior out of definitions, and puts it back.
func TestSections(t *testing.T) {
	type test struct {
		part
		first, less, again *version
	}
	var tests []test
	for _, b := range gen.Behaviors {
		all := parts(t, b.Name())
		if len(all) == 0 {
			t.Errorf("no definition has the section %s and loads without it", b.Name())
		}
		for _, p := range all {
			p.name = b.Name() + "/" + p.name
			first, less := p.with.must(t), p.without.must(t)
			_, wrong := begin(t, first).add(t, less)
			for range 3 { // those of tables come beside those of columns
				if len(wrong) == 0 {
					break
				}
				p.without = p.without.allowing(t, wrong)
				less = p.without.must(t)
				_, wrong = begin(t, first).add(t, less)
			}
			tests = append(tests, test{p, first, less, p.with.must(t)})
		}
	}
	onEach(t, func(t *testing.T, s *server) {
		for _, one := range tests {
			t.Run(one.name, func(t *testing.T) {
				l := s.start(t, one.first)
				l.to(one.less)
				l.to(one.again)
			})
		}
	})
}
