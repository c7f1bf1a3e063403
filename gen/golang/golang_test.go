package golang

import (
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
)

// A definition's text reaches comments of generated code. None of it may end
// the comment and become code.
func TestCommentsCannotBeLeft(t *testing.T) {
	hostile := []string{
		"ends */ here", "// starts so", "/* starts so", "a\nfunc init() { panic(1) }", "a\r\nfunc init() {}",
		"line\u2028func init() {}", "nel\u0085func init() {}", "`back`", "übers", "\x00nul", "",
		"right\u202eto left", "#cgo LDFLAGS: -x", "go:embed secret",
	}
	for _, text := range hostile {
		src, err := renderFile("p", packages, func(f *jen.File) {
			f.Add(code.Comment(text, "", text))
			f.Var().Id("x").Int()
			f.Type().Id("T").StructFunc(func(g *jen.Group) {
				g.Add(code.Comment(text))
				g.Id("A").Int().Comment(code.CommentLine(text)[3:])
			})
		})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), "p.go", src, parser.ParseComments)
		if err != nil {
			t.Errorf("%q: %v\n%s", text, err, src)
			continue
		}
		if n := len(file.Decls); n != 2 {
			t.Errorf("%q made %d declarations, want 2:\n%s", text, n, src)
		}
		if strings.Contains(string(src), "\n//go:") || strings.Contains(string(src), "/*") && !strings.Contains(string(src), "// ") {
			t.Errorf("%q became a directive or a block comment:\n%s", text, src)
		}
	}
}

func TestLower(t *testing.T) {
	for in, want := range map[string]string{
		"Article": "article", "URL": "url", "URLPath": "urlPath", "BodyHTML": "bodyHTML", "X": "x", "SMSQueue": "smsQueue",
	} {
		if got := goname.Unexported(in); got != want {
			t.Errorf("goname.Unexported(%q) = %q, want %q", in, got, want)
		}
	}
}

// go/build must not take a datatype's name for a system or a processor.
func TestFileNamesAreBuiltEverywhere(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"article", "report_js", "app_windows", "entity_386", "a_linux_amd64", "page_test", "linux", "unix_arm64"} {
		file := fileName(name)
		if err := os.WriteFile(filepath.Join(dir, file), []byte("package p\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, goos := range []string{"plan9", "linux"} {
			ctx := build.Default
			ctx.GOOS, ctx.GOARCH = goos, "mips"
			if ok, err := ctx.MatchFile(dir, file); err != nil || !ok {
				t.Errorf("%s is left out on %s: %v", file, goos, err)
			}
		}
	}
}
