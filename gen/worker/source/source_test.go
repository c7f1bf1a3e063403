package source

import (
	"errors"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/mistake"
)

var imports = Imports{
	"context": {"context", "context"}, "errors": {"errors", "errors"},
	"generated": {"data", "example.com/shop/internal/data"}, "queue": {"queue", "example.com/runtime/queue"},
}

// folder makes a folder of files in a project, and opens the project.
func folder(t *testing.T, files map[string]string) *os.Root {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "w"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, "w", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return root
}

func read1(t *testing.T, root *os.Root) *Package {
	t.Helper()
	p, err := Read(root, "w", imports)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// kept fails the test unless each line of before is in after, in order.
func kept(t *testing.T, before, after string) {
	t.Helper()
	rest := strings.SplitAfter(after, "\n")
	for _, line := range strings.SplitAfter(before, "\n") {
		i := 0
		for i < len(rest) && rest[i] != line && (strings.HasSuffix(line, "\n") || strings.TrimRight(rest[i], "\r\n") != line) {
			i++
		}
		if i == len(rest) && line != "" {
			t.Fatalf("the line %q is gone from:\n%s", line, after)
		}
		if line != "" {
			rest = rest[i+1:]
		}
	}
}

const method = "// Ping pings.\nfunc (q *T) Ping(ctx @context.Context, j *@generated.PingJob) error {\n\treturn @errors.New(\"no\")\n}\n"

// TestAdd adds a method, with its imports, to files as people write them: what was there stays as it
// is, and gofmt finds nothing to do where it had found nothing before.
func TestAdd(t *testing.T) {
	for name, text := range map[string]string{
		"no imports":          "package w\n\ntype T struct{}\n",
		"a comment behind":    "package w // handlers\n\ntype T struct{} // of all\n",
		"a single import":     "package w\n\nimport \"fmt\"\n\ntype T struct{}\n\nvar _ = fmt.Sprint\n",
		"groups":              "package w\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\n\t\"example.com/a\"\n\t\"example.com/shop/x\"\n)\n\ntype T struct{}\n",
		"comments":            "package w\n\nimport (\n\t// of the std\n\t\"fmt\" // prints\n\t\"os\"  // reads\n\n\t// ours\n\tx \"example.com/x\" // x\n)\n\n// T is T.\ntype T struct {\n\ta int // a\n\n\t// b is odd\n\tbcd string // b\n}\n\n// the end",
		"all imported":        "package w\n\nimport (\n\t\"context\"\n\t\"errors\"\n\n\t\"example.com/shop/internal/data\"\n)\n\ntype T struct{}\n\nvar _, _, _ = context.TODO, errors.New, data.X\n",
		"under other names":   "package w\n\nimport (\n\tctxt \"context\"\n\tgen \"example.com/shop/internal/data\"\n)\n\ntype T struct{}\n\nvar _ ctxt.Context = gen.X\n",
		"dots and blanks":     "package w\n\nimport (\n\t. \"context\"\n\t_ \"errors\"\n)\n\ntype T struct{ Context }\n",
		"names that are used": "package w\n\nimport context \"example.com/other/context\"\n\ntype T struct{}\n\nfunc errors() context.X { return 0 }\n",
		"a build tag":         "//go:build linux && !cgo\n\n// Package w is w.\npackage w\n\ntype T struct{}\n",
		"generics":            "package w\n\ntype T struct{}\n\ntype L[E any, K comparable] struct{ e map[K]E }\n\nfunc (l *L[E, K]) Get(k K) E { return l.e[k] }\n",
		"not gofmt's":         "package w\ntype   T struct{ }\nfunc( q*T )Other( ){ }\n\n\n\n",
		"no end of the line":  "package w\n\ntype T struct{}",
		"a byte order mark":   "\ufeffpackage w\n\ntype T struct{}\n",
		"cgo":                 "package w\n\n// int x;\nimport \"C\"\n\ntype T struct{}\n",
		"a line directive":    "package w\n\n//line other.y:100\ntype T struct{}\n",
		"an import on a line": "package w\n\nimport (\"fmt\"; \"os\")\n\ntype T struct{}\n",
	} {
		for end, text := range map[string]string{"": text, " with CRLF": strings.ReplaceAll(text, "\n", "\r\n")} {
			t.Run(name+end, func(t *testing.T) {
				root := folder(t, map[string]string{"t.go": text})
				p := read1(t, root)
				if err := p.Add("w/t.go", "", method); err != nil {
					t.Fatal(err)
				}
				if err := p.Write(root); err != nil {
					t.Fatal(err)
				}
				after, err := root.ReadFile("w/t.go")
				if err != nil {
					t.Fatal(err)
				}
				kept(t, text, string(after))
				if end != "" && strings.Count(string(after), "\n") != strings.Count(string(after), "\r\n") {
					t.Errorf("the ends of lines are mixed:\n%q", after)
				}
				plain := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
				if formatted, err := format.Source([]byte(plain(text))); err == nil && string(formatted) == plain(text) {
					if now, err := format.Source([]byte(plain(string(after)))); err != nil || string(now) != plain(string(after)) {
						t.Errorf("gofmt would change it: %v\n%s", err, after)
					}
				}
				again := read1(t, root)
				typ, err := again.Type("T", nil)
				if err != nil {
					t.Fatal(err)
				}
				if has, err := typ.Method("Ping"); err != nil || !has {
					t.Errorf("the method is not found: %v", err)
				}
			})
		}
	}
}

// TestImportsAreNamed: the text names packages as the file does.
func TestImportsAreNamed(t *testing.T) {
	root := folder(t, map[string]string{"t.go": "package w\n\nimport (\n\tctxt \"context\"\n\tdata \"example.com/else\"\n)\n\ntype T struct{}\n\nfunc errors() (ctxt.Context, data.X) { return nil, 0 }\n"})
	p := read1(t, root)
	if err := p.Add("w/t.go", "", method); err != nil {
		t.Fatal(err)
	}
	text := string(p.find("w/t.go").text)
	for _, want := range []string{"Ping(ctx ctxt.Context, j *datapkg.PingJob)", "return errorspkg.New(", `datapkg "example.com/shop/internal/data"`, `errorspkg "errors"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}

// TestMethods finds methods wherever they are, and what a further one's receiver is.
func TestMethods(t *testing.T) {
	for name, c := range map[string]struct {
		files    map[string]string
		receiver string
	}{
		"of a pointer":            {map[string]string{"a.go": "package w\ntype T struct{}\nfunc (x *T) Ping() {}"}, "x *T"},
		"of a value":              {map[string]string{"a.go": "package w\ntype T struct{}\nfunc (x T) Ping() {}"}, "x T"},
		"of both":                 {map[string]string{"a.go": "package w\ntype T struct{}\nfunc (T) Other() {}\nfunc (x *T) Ping() {}"}, "x *T"},
		"without a name":          {map[string]string{"a.go": "package w\ntype T struct{}\nfunc (*T) Ping() {}"}, "*T"},
		"in another file":         {map[string]string{"a.go": "package w\ntype T struct{}", "b.go": "package w\nfunc (x T) Ping() {}"}, "x T"},
		"for one system":          {map[string]string{"a.go": "package w\ntype T struct{}", "b_windows.go": "//go:build windows\n\npackage w\nfunc (x T) Ping() {}"}, "x T"},
		"of a generic type":       {map[string]string{"a.go": "package w\ntype T[A, B any] struct{}\nfunc (x *T[X, _]) Ping() {}"}, "x *T[A, B]"},
		"of what it embeds":       {map[string]string{"a.go": "package w\ntype T struct{ *Base }\ntype Base struct{ Deeper }\ntype Deeper struct{}", "b.go": "package w\nfunc (Deeper) Ping() {}"}, "T"},
		"of an interface":         {map[string]string{"a.go": "package w\ntype T struct{ P }\ntype P interface{ Ping() }"}, "T"},
		"of a known interface":    {map[string]string{"a.go": "package w\nimport gen \"example.com/shop/internal/data\"\ntype T struct{ gen.Handler }"}, "T"},
		"in parentheses":          {map[string]string{"a.go": "package w\ntype T struct{}\nfunc (x (*T)) Ping() {}"}, "x *T"},
		"beside another package":  {map[string]string{"a.go": "package w\ntype T struct{}\nfunc (x T) Ping() {}", "b.go": "//go:build ignore\n\npackage main\ntype T int\nfunc main() {}"}, "x T"},
		"beside an external test": {map[string]string{"a.go": "package w\ntype T struct{}\nfunc (x T) Ping() {}", "a_test.go": "package w_test\ntype T int"}, "x T"},
	} {
		t.Run(name, func(t *testing.T) {
			p := read1(t, folder(t, c.files))
			typ, err := p.Type("T", map[string][]string{"example.com/shop/internal/data.Handler": {"Ping"}})
			if err != nil || typ == nil {
				t.Fatalf("no type: %v", err)
			}
			if has, err := typ.Method("Ping"); !has || err != nil {
				t.Errorf("no method: %v", err)
			}
			if has, err := typ.Method("Pong"); has || err != nil {
				t.Errorf("a method that is not there: %v", err)
			}
			if typ.Receiver != c.receiver {
				t.Errorf("a further method's receiver is %q, want %q", typ.Receiver, c.receiver)
			}
		})
	}
}

// TestRefused: what cannot be read, or completed, is a mistake with its place.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"syntax":             {"package w\n\nfunc broken( {\n}\n", "w/a.go:3:14: "},
		"columns of umlauts": {"package w\n\nvar ü = \"äöü\" ?\n", "w/a.go:3:15: "},
		"not a type":         {"package w\n\nvar T = 1\n", "w/a.go:3:5: T is not a type with methods"},
		"an alias":           {"package w\n\ntype T = int\n", "w/a.go:3:6: T is an alias"},
		"an interface":       {"package w\n\ntype T interface{}\n", "w/a.go:3:6: T is an interface"},
		"twice":              {"package w\n\ntype T int\ntype T int\n", "w/a.go:4:6: T is declared here and in w/a.go"},
		"embedded":           {"package w\n\nimport \"sync\"\n\ntype T struct {\n\tsync.Mutex\n}\n", "w/a.go:6:2: T embeds a type of another package, which may have the method Ping"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Read(folder(t, map[string]string{"a.go": c.text}), "w", imports)
			if err == nil {
				var typ *Type
				if typ, err = p.Type("T", nil); err == nil {
					_, err = typ.Method("Ping")
				}
			}
			list, ok := errors.AsType[mistake.List](err)
			if !ok || !strings.HasPrefix(list.Error(), c.want) || list[0].Source == "" || list[0].Hint == "" {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestInsert adds statements before a return, and only where one can be.
func TestInsert(t *testing.T) {
	const statement = "\t%[1]s.Queue = @queue.New(%[2]s)\n"
	for name, c := range map[string]struct{ body, want string }{
		"a variable":      {"{\n\tvar w W\n\treturn w\n}\n", "{\n\tvar w W\n\tw.Queue = queue.New(db)\n\treturn w\n}\n"},
		"with a comment":  {"{\n\tx := W{}\n\t// done:\n\t// at last\n\treturn x // here\n}\n", "{\n\tx := W{}\n\tx.Queue = queue.New(db)\n\t// done:\n\t// at last\n\treturn x // here\n}\n"},
		"a literal":       {"{\n\treturn W{}\n}\n", ""},
		"on one line":     {"{ w := W{}; return w }\n", ""},
		"behind another":  {"{\n\tw := W{}; return w\n}\n", ""},
		"without a value": {"{\n\treturn nil\n}\n", ""},
		"in a branch":     {"{\n\tif w := (W{}); true {\n\t\treturn w\n\t}\n\tpanic(0)\n}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			const head = "package w\n\nimport \"example.com/runtime/queue\"\n\nfunc New(db *queue.DB) W "
			p := read1(t, folder(t, map[string]string{"a.go": head + c.body}))
			fn := p.Func("", "New")
			ok, err := fn.Insert(statement)
			if err != nil || ok != (c.want != "") {
				t.Fatalf("%v, %v", ok, err)
			}
			want := head + c.want
			if !ok {
				want = head + c.body
			}
			if got := string(p.find("w/a.go").text); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestMentions(t *testing.T) {
	p := read1(t, folder(t, map[string]string{"a.go": "package w\n\nfunc New(db DB) W {\n\tw := W{Queue: 1}\n\tw.Mail = m[\"news\"]\n\treturn w\n}\n"}))
	for name, want := range map[string]bool{"Queue": true, "Mail": true, "news": true, "Cron": false, "w": false} {
		if got := p.Func("", "New").Mentions(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestNotWritten: nothing is written through a link, to a read-only file, or over what came
// meanwhile; of several files none is.
func TestNotWritten(t *testing.T) {
	const text = "package w\n\ntype T struct{}\n"
	for name, c := range map[string]struct {
		spoil func(root *os.Root) error
		want  string
	}{
		"a link": {func(root *os.Root) error {
			return errors.Join(root.Rename("w/b.go", "w/real"), root.Symlink("real", "w/b.go"))
		}, "w/b.go is a symbolic link"},
		"a read-only file": {func(root *os.Root) error { return root.Chmod("w/b.go", 0o444) }, "w/b.go is read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t, map[string]string{"a.go": text, "b.go": "package w\n"})
			if err := c.spoil(root); err != nil {
				t.Fatal(err)
			}
			refused(t, root, read1(t, root), c.want)
		})
	}
	t.Run("a file that was changed", func(t *testing.T) {
		root := folder(t, map[string]string{"a.go": text, "b.go": "package w\n"})
		p := read1(t, root)
		if err := root.WriteFile("w/b.go", []byte("package w // mine\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		refused(t, root, p, "w/b.go was changed meanwhile")
	})
	t.Run("a file that came", func(t *testing.T) {
		root := folder(t, map[string]string{"a.go": text})
		p := read1(t, root)
		if err := p.Add("w/new.go", "", "var x = 1\n"); err != nil {
			t.Fatal(err)
		}
		if err := root.WriteFile("w/new.go", []byte("package w // mine\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		refused(t, root, p, "exists")
	})
	t.Run("a link out of the project", func(t *testing.T) {
		root := folder(t, nil)
		if err := root.Symlink("../../outside.go", "w/b.go"); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(root, "w", imports); err == nil || !strings.Contains(err.Error(), "w/b.go") {
			t.Errorf("read through a link: %v", err)
		}
	})
}

// refused adds to all files, and has Write fail without a trace.
func refused(t *testing.T, root *os.Root, p *Package, want string) {
	t.Helper()
	before := contents(t, root)
	for _, name := range []string{"w/a.go", "w/b.go"} {
		if p.find(name) == nil {
			continue
		}
		if err := p.Add(name, "", "var "+strings.ToUpper(name[2:3])+" = 1\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Write(root); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	after := contents(t, root)
	if len(after) != len(before) {
		t.Errorf("the folder has %d files, and had %d", len(after), len(before))
	}
	for name, text := range before {
		if after[name] != text {
			t.Errorf("%s holds %q", name, after[name])
		}
	}
}

func contents(t *testing.T, root *os.Root) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := fs.ReadDir(root.FS(), "w")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := root.ReadFile("w/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(text)
	}
	return out
}

// TestModeIsKept: the file that takes another's place has its permissions.
func TestModeIsKept(t *testing.T) {
	root := folder(t, map[string]string{"a.go": "package w\n"})
	if err := root.Chmod("w/a.go", 0o640); err != nil {
		t.Fatal(err)
	}
	p := read1(t, root)
	if err := errors.Join(p.Add("w/a.go", "", "var A = 1\n"), p.Write(root)); err != nil {
		t.Fatal(err)
	}
	info, err := root.Stat("w/a.go")
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
