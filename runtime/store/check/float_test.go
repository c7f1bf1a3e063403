package check

import (
	"math"
	"testing"
)

func TestFloat(t *testing.T) {
	bounded := Rules{Kind: Float, Min: AtFloat(-1e300), Max: At("0.1")}
	for _, test := range []struct {
		rules Rules
		value any
		want  string
	}{
		{bounded, 0.1, ""},
		{bounded, -1e300, ""},
		{bounded, math.Nextafter(0.1, 1), "must be at most 0.1, not 0.10000000000000002"},
		{bounded, -1.5e300, "must be at least -1e+300, not -1.5e+300"},
		{Rules{Kind: Float, Secret: true, Max: AtInt(3)}, 4.0, "must be at most 3"},
		{Rules{Kind: Float}, math.NaN(), "must be a finite number, not NaN"},
		{Rules{Kind: Float}, math.Inf(-1), "must be a finite number, not -Inf"},
		{Rules{Kind: Float, Required: true}, nil, "is required"},
		{Rules{Kind: Float, Required: true}, 0.0, ""},
		{Rules{Kind: Float}, int64(1), "must be given as float64, not as int64"},
		{Rules{Kind: Float, Rules: []Rule{{Op: OpRange, Cmp: "lt", N: At("1000000")}}}, 1e21, "must be a number that is less than 1000000"},
		{Rules{Kind: JSON, Fields: []Member{{"a", bounded}}}, []byte(`{"a": 1e-7}`), ""},
		{Rules{Kind: JSON, Fields: []Member{{"a", bounded}}}, []byte(`{"a": 2}`), "a: must be at most 0.1, not 2"},
		{Rules{Kind: JSON, Fields: []Member{{"a", bounded}}}, []byte(`{"a": "0.1"}`), "a: must be a number within the range of a 64-bit float"},
	} {
		got := ""
		for _, f := range test.rules.Check(test.value) {
			got += f.Message
		}
		if got != test.want {
			t.Errorf("%v: %q, want %q", test.value, got, test.want)
		}
	}
}
