package language_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

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
	for _, m := range []*language.Mapping{
		language.Project, language.Datatype, language.Field, language.Index, language.Condition,
		language.Queue, language.State, language.NamedQueue, language.Retention, language.Kind,
		language.Cache, language.Rate, language.Unique, language.Older, language.Rule,
	} {
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
