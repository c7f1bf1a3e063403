package condition_test

import (
	"math"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/event/condition"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Floats are compared as numbers, however they are written and of whatever size they are.
func TestFloat(t *testing.T) {
	columns := []core.Column{{Name: "score", Rules: check.Rules{Kind: check.Float}}, {Name: "weight", Null: true, Rules: check.Rules{Kind: check.Float}}}
	row := func(score float64, weight store.Null[float64]) condition.Row { return condition.Row{&score, &weight} }
	for _, test := range []struct {
		condition     string
		before, after condition.Row
		want          bool
	}{
		{`{"field": "score", "eq": 1e-1}`, nil, row(0.1, store.Null[float64]{}), true},
		{`{"field": "score", "eq": 0}`, nil, row(math.Copysign(0, -1), store.Null[float64]{}), true},
		{`{"field": "score", "lt": -0.5}`, nil, row(-1e300, store.Null[float64]{}), true},
		{`{"field": "score", "gt": -0.5}`, nil, row(-0.25, store.Null[float64]{}), true},
		{`{"field": "score", "gte": 5e-324}`, nil, row(0, store.Null[float64]{}), false},
		{`{"field": "score", "in": [1, 2.5]}`, nil, row(2.5, store.Null[float64]{}), true},
		{`{"field": "weight", "lte": 3}`, nil, row(0, store.Some(3.0)), true},
		{`{"field": "weight", "exists": true}`, nil, row(0, store.Null[float64]{}), false},
		{`{"field": "score", "changed": true}`, row(1, store.Null[float64]{}), row(1, store.Some(1.0)), false},
		{`{"field": "weight", "changed": true}`, row(1, store.Some(2.0)), row(1, store.Some(1.0)), true},
	} {
		c, err := condition.Parse([]byte(test.condition), columns)
		if err != nil {
			t.Errorf("%s: %v", test.condition, err)
			continue
		}
		if got := c.Holds(test.before, test.after); got != test.want {
			t.Errorf("%s is %v", test.condition, got)
		}
	}
	for text, says := range map[string]string{
		`{"field": "score", "eq": "0.5"}`: "score is a float, not", `{"field": "score", "lt": 1e999}`: "write a number within the range of a 64-bit float",
	} {
		if _, err := condition.Parse([]byte(text), columns); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
