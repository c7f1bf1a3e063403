package rowtemplate_test

import (
	"math"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

type sample struct {
	ID     int64
	Score  float64
	Weight store.Null[float64]
}

// A float is written as JSON has it, and compared with numbers of every kind.
func TestFloat(t *testing.T) {
	float := check.Rules{Kind: check.Float}
	columns := []core.Column{{Name: "id", Rules: check.Rules{Kind: check.Int}}, {Name: "score", Rules: float}, {Name: "weight", Null: true, Rules: float}}
	row, err := rowtemplate.RowOf(new(sample), columns)
	if err != nil {
		t.Fatal(err)
	}
	const text = `[{{.Score}}, {{.Weight}}, "{{if eq .Score 0.1}}a tenth{{else}}else{{end}}", {{if gt .Score .ID}}1{{else}}0{{end}}, {{if .Weight}}1{{else}}0{{end}}]`
	template, err := rowtemplate.Compile(rowtemplate.JSON, text, row, rowtemplate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want, in := range map[string]sample{
		`[0.1, null, "a tenth", 1, 0]`:            {Score: 0.1},
		`[1e+21, 1e-7, "else", 1, 1]`:             {Score: 1e21, Weight: store.Some(1e-7)},
		`[-0.30000000000000004, 0, "else", 0, 0]`: {Score: -math.Nextafter(0.3, 1), Weight: store.Some(math.Copysign(0, -1))},
	} {
		if out, err := template.Execute(&in); err != nil || string(out) != want {
			t.Errorf("%+v is %s (%v), want %s", in, out, err, want)
		}
	}
	if out, err := template.Execute(&sample{Score: math.NaN()}); err == nil {
		t.Errorf("NaN is %s", out)
	}
}
