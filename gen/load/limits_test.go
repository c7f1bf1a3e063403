package load_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/mistake"
)

const articleYAML = "name: article\nfields:\n  - {name: title, type: text}\n"

func project(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func mistakes(t testing.TB, fsys fs.FS) mistake.List {
	_, err := load.Load(fsys, gen.Behaviors)
	var list mistake.List
	if err != nil && !errors.As(err, &list) {
		t.Fatalf("the error is no list: %v", err)
	}
	return list
}

func TestLimits(t *testing.T) {
	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	var many []string
	for i := range language.MaxOptions + 1 {
		many = append(many, fmt.Sprintf("o%d", i))
	}
	for _, c := range []struct{ name, text, want string }{
		{"file", articleYAML + "# " + strings.Repeat("x", language.MaxFileBytes), "the file has more than 1024 KiB"},
		{"fields", "name: article\nfields:\n" + repeat(language.MaxFields+1, "  - {name: f%d, type: boolean}\n"), "fields has 201 entries, at most 200 are allowed"},
		{"indexes", articleYAML + "indexes:\n" + repeat(language.MaxIndexes+1, "  - {fields: [title], name: i%d}\n"), "indexes has 65 entries, at most 64 are allowed"},
		{"options", "name: article\nfields:\n  - {name: s, type: select, options: [" + strings.Join(many, ", ") + "]}\n", "options has 101 entries, at most 100 are allowed"},
		{"pattern", "name: article\nfields:\n  - {name: s, type: text, pattern: " + strings.Repeat("x", 1001) + "}\n", "pattern has 1001 characters, at most 1000 are allowed"},
		{"rules", "name: article\nfields:\n  - name: s\n    type: text\n    validation:\n      rules:\n        - group:\n            all_of:\n" +
			strings.Repeat("              - {rule: {op: equals, value: x}}\n", 100), "more than 100 rules in one field"},
		{"mistakes", articleYAML + repeat(500, "k%d: 1\n"), "more than 100 mistakes; the others are not shown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := mistakes(t, project(map[string]string{"datatypes/article.yaml": c.text}))
			if len(list) > 100+1 {
				t.Errorf("%d mistakes", len(list))
			}
			for _, m := range list {
				if m.Message == c.want {
					return
				}
			}
			t.Errorf("no %q in %.300v", c.want, list)
		})
	}
}

func TestTooManyDatatypes(t *testing.T) {
	files := map[string]string{}
	for i := range language.MaxDatatypes + 2 {
		files[fmt.Sprintf("datatypes/d%03d.yaml", i)] = strings.Replace(articleYAML, "article", fmt.Sprintf("d%03d", i), 1)
	}
	list := mistakes(t, project(files))
	if len(list) != 1 || list[0].Message != "more than 500 definitions" || list[0].Hint != "the first one too many is d500.yaml" {
		t.Error(list)
	}
}

// TestTimeIsBounded loads what is made to be slow: the limits are on what a
// file holds, so that these must end soon whatever they hold.
func TestTimeIsBounded(t *testing.T) {
	big := language.MaxFileBytes / 4 // enough for what grows with the square to show
	fill := func(s string) string { return strings.Repeat(s, big/len(s)) }
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	for name, text := range map[string]string{
		"brackets":  "name: " + strings.Repeat("[", 9000),
		"braces":    "name: " + strings.Repeat("{a: ", 9000),
		"keys":      articleYAML + fill("k: 1\n"),
		"fields":    "name: article\nfields:\n" + fill("  - {name: f, type: text}\n"),
		"options":   "name: article\nfields:\n  - {name: s, type: select, options: [" + fill("a, ") + "b]}\n",
		"bomb":      bomb.String(),
		"one line":  articleYAML + "label: " + fill("x") + "\n",
		"broken":    articleYAML + fill("  - [\n"),
		"comments":  articleYAML + fill("# x\n"),
		"questions": "name: article\n" + fill("? "),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if list := mistakes(t, project(map[string]string{"datatypes/article.yaml": text})); name != "comments" && len(list) == 0 {
				t.Error("loads")
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	fsys := project(map[string]string{"datatypes/article.yaml": articleYAML})
	fsys["modulagen.yaml/x"] = &fstest.MapFile{} // a folder in the file's place
	list := mistakes(t, fsys)
	if len(list) != 1 || list[0].File != "modulagen.yaml" || !strings.HasPrefix(list[0].Message, "cannot be read: ") {
		t.Error(list)
	}
}

func TestLoadIsDeterministic(t *testing.T) {
	for _, s := range stories(t, "definitions") {
		var first string
		for range 5 {
			p, err := load.Load(s.Project, gen.Behaviors)
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(p); first == "" {
				first = got
			} else if got != first {
				t.Fatalf("%s differs between runs", s.Name)
			}
		}
	}
}

// FuzzLoad holds Load to two promises: it ends without a panic, and whatever
// it finds wrong can be printed and points into the file.
func FuzzLoad(f *testing.F) {
	for _, folder := range []string{"mistakes", "definitions"} {
		for _, s := range stories(f, folder) {
			for name, file := range s.Project {
				if strings.HasSuffix(name, ".yaml") {
					f.Add(file.Data)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		for _, name := range []string{"datatypes/x.yaml", load.ConfigFile} {
			fsys := project(map[string]string{"datatypes/y.yaml": articleYAML, name: string(text)})
			p, err := load.Load(fsys, gen.Behaviors)
			if (p == nil) == (err == nil) {
				t.Fatalf("project %v, error %v", p, err)
			}
			for _, m := range mistakes(t, fsys) {
				held(t, m)
				_ = m.String()
			}
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("took %v for %d bytes", d, len(text))
		}
	})
}
