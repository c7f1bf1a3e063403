package language_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/language"
)

// The page for users has a row for each key, in the words that editors show.
func TestEveryKeyIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/definitions.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := []string{}
	seen := map[*language.Mapping]bool{language.Entry: true, language.Group: true} // the page shows them by an example
	for _, m := range append(below(gen.Grammar(), seen), below(gen.Configuration(), seen)...) {
		for _, k := range m.Keys {
			if k.Help != "" {
				rows = append(rows, fmt.Sprintf("| `%s` | %s |", k.Name, k.Help))
			}
		}
	}
	for _, ft := range fieldtype.Writable() {
		rows = append(rows, fmt.Sprintf("| `%s` | %s |", ft.Name, ft.Help))
	}
	for _, row := range rows {
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/definitions.md has no row\n%s", row)
		}
	}
}

// below returns a mapping and all that its keys hold.
func below(m *language.Mapping, seen map[*language.Mapping]bool) []*language.Mapping {
	if m == nil || seen[m] {
		return nil
	}
	seen[m] = true
	out := []*language.Mapping{m}
	for _, k := range m.Keys {
		out = append(out, in(k.Value, seen)...)
	}
	return append(out, in(m.Others, seen)...)
}

func in(v *language.Value, seen map[*language.Mapping]bool) []*language.Mapping {
	if v == nil {
		return nil
	}
	var out []*language.Mapping
	for _, form := range v.Forms() {
		out = append(out, below(form.Keys, seen)...)
		out = append(out, in(form.Of, seen)...)
	}
	return out
}
