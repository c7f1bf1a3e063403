package measure

import (
	"bytes"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		samples []float64
		want    float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := Median(c.samples); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.samples, got, c.want)
		}
	}
}

func TestRotateTakesTurns(t *testing.T) {
	var order strings.Builder
	side := func(name string, figure float64) Sample {
		return func() (float64, error) { order.WriteString(name); return figure, nil }
	}
	medians, err := Rotate(3, side("a", 1), side("b", 2), side("c", 3))
	if err != nil {
		t.Fatal(err)
	}
	if order.String() != "abcbcacab" {
		t.Errorf("order %s: each round must start with the next side", order.String())
	}
	if medians[0] != 1 || medians[1] != 2 || medians[2] != 3 {
		t.Errorf("medians %v", medians)
	}
}

func TestReportJSON(t *testing.T) {
	var out bytes.Buffer
	report := NewReport(&out, &out, true)
	report.Add(Compare("store", "get by id", "sqlite", "µs", "ent", 10, 25, Target(1)))
	report.Add(Compare("store", "list", "mysql", "µs", "ent", 10, 5, nil))
	want := `{"suite":"store","case":"get by id","db":"sqlite","ours":10,"peer":25,"peer_name":"ent","unit":"µs","ratio":2.5,"target":1}
{"suite":"store","case":"list","db":"mysql","ours":10,"peer":5,"peer_name":"ent","unit":"µs","ratio":0.5,"target":null}
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if report.Missed != 0 {
		t.Errorf("%d missed: a row without a target cannot miss it", report.Missed)
	}
}

func TestAlternateUneven(t *testing.T) {
	var order strings.Builder
	side := func(name string, figure float64) Sample {
		return func() (float64, error) { order.WriteString(name); return figure, nil }
	}
	ours, peer, err := Alternate(Rounds{Ours: 4, Peer: 2}, side("o", 1), side("p", 9))
	if err != nil || ours != 1 || peer != 9 {
		t.Fatalf("Alternate = %v, %v, %v", ours, peer, err)
	}
	if order.String() != "oppooo" {
		t.Errorf("order %s", order.String())
	}
}
