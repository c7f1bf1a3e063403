package behavior_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/internal/story"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/model"
)

var update = flag.Bool("update", false, "write what the behaviors make of the stories; read every change")

// TestStories compares what the behaviors add to the definitions of the stories
// with what is kept in testdata.
func TestStories(t *testing.T) {
	all, err := story.Read(filepath.Join("..", "..", "testdata", "definitions"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			p, err := load.Load(s.Project, gen.Behaviors)
			if err == nil {
				err = behavior.Apply(p, gen.Behaviors)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, path := describe(p), filepath.Join("testdata", s.Name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || got != string(want) {
				t.Errorf("%v; got\n%s\nwant\n%s", err, got, want)
			}
		})
	}
}

// describe writes out what behaviors add.
func describe(p *model.Project) string {
	var b strings.Builder
	for _, d := range p.Datatypes {
		fmt.Fprintf(&b, "%s %q, db.%s, rows %s", d.Name, d.Label, d.GoAccessor, d.GoRow)
		if d.AddedFor != "" {
			fmt.Fprintf(&b, ", added for %s: %s", d.AddedFor, d.Description)
		}
		b.WriteString("\n")
		for _, f := range d.Fields {
			if f.Added || f.Wide || f.Veiled {
				describeField(&b, f)
			}
		}
		for _, x := range d.Indexes {
			if x.Added {
				describeIndex(&b, x)
			}
		}
		var ops []string
		for _, op := range d.Operations {
			ops = append(ops, op.Name)
		}
		fmt.Fprintf(&b, "  operations %s\n", strings.Join(ops, " "))
		for _, e := range d.Effects {
			fmt.Fprintf(&b, "  effect on %03b, rows %v, announces %q, runs %v", e.On, e.Rows, e.Announce, e.Run)
			if e.Wanted != nil {
				fmt.Fprintf(&b, ", where wanted by %v", e.Wanted)
			}
			b.WriteString("\n")
		}
		for _, c := range d.Cascades {
			fmt.Fprintf(&b, "  cascades to %s.%s, set null: %v\n", c.Datatype.Name, c.Field.Name, c.SetsNull())
		}
		for _, n := range d.Names {
			fmt.Fprintf(&b, "  name %s in %s: %s, line %d, added: %v, %s\n", n.Text, n.Space, n.What, n.Pos.Line, n.Added, n.Hint)
		}
	}
	return b.String()
}

func describeField(b *strings.Builder, f *model.Field) {
	fmt.Fprintf(b, "  field %s %s: %s %q (%s)", f.Name, f.GoName, f.Type, f.Label, f.Help)
	for _, part := range []struct {
		is   bool
		text string
	}{
		{f.NotNull, "not null"},
		{f.Required, "required"},
		{f.Unique, "unique"},
		{f.Wide, "wide"},
		{f.Kept, "kept"},
		{f.Own, "own"},
		{f.Veiled, "veiled"},
		{f.Rules.Min.IsSet(), "min " + f.Rules.Min.String()},
		{f.Rules.Max.IsSet(), "max " + f.Rules.Max.String()},
		{f.Scale > 0, fmt.Sprint("scale ", f.Scale)},
	} {
		if part.is {
			b.WriteString(", " + part.text)
		}
	}
	if f.Default != nil {
		fmt.Fprintf(b, ", default %q now=%v", f.Default.Text, f.Default.Now)
	}
	if f.Reference != nil {
		fmt.Fprintf(b, ", to %s on delete %s", f.Reference.To, f.Reference.OnDelete)
	}
	b.WriteString("\n")
}

func describeIndex(b *strings.Builder, x *model.Index) {
	fmt.Fprintf(b, "  index %s unique=%v:", x.Name, x.Unique)
	for _, c := range x.Columns {
		fmt.Fprintf(b, " %s desc=%v", c.Field.Name, c.Desc)
	}
	describeConditions(b, ", where", x.Where)
	b.WriteString("\n")
}

func describeConditions(b *strings.Builder, word string, all []model.Condition) {
	for _, w := range all {
		if len(w.Any) > 0 {
			b.WriteString(word + " any of")
			describeConditions(b, "", w.Any)
			continue
		}
		fmt.Fprintf(b, "%s %s %s %q", word, w.Field.Name, w.Op, w.Values)
	}
}
