package store_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
)

func TestJSONOfOptAndNull(t *testing.T) {
	type patch struct {
		A store.Opt[int64]       `json:"a,omitzero"`
		B store.Opt[string]      `json:"b,omitzero"`
		C store.Opt[string]      `json:"c,omitzero"`
		D store.Null[int64]      `json:"d"`
		E store.Null[store.Date] `json:"e"`
		F store.Opt[[]string]    `json:"f,omitzero"`
	}
	const text = `{"a":1,"b":null,"d":null,"e":"2024-02-29"}`
	var p patch
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	if v, ok := p.A.Get(); !ok || v != 1 || !p.B.IsNull() || p.C.IsSet() || p.D.Valid || p.E.V.Day != 29 {
		t.Errorf("%+v", p)
	}
	if out, err := json.Marshal(p); err != nil || string(out) != text {
		t.Errorf("%s, %v", out, err)
	}
	if p.B.Or("x") != "x" || p.A.Or(5) != 1 || p.D.Or(7) != 7 || p.D.Ptr() != nil || *p.E.Ptr() != p.E.V {
		t.Error("Or or Ptr")
	}
}

func TestDate(t *testing.T) {
	for _, d := range []store.Date{{Year: 2023, Month: 2, Day: 29}, {Year: 0, Month: 1, Day: 1}, {Year: 2024, Month: 13, Day: 1}, {Year: 2024, Month: 1, Day: 0}, {Year: 10000, Month: 1, Day: 1}, {}} {
		if d.Valid() {
			t.Errorf("%s is taken for a day", d)
		}
	}
	a, b := store.Date{Year: 2024, Month: 2, Day: 29}, store.Date{Year: 2024, Month: 3, Day: 1}
	if !a.Valid() || a.Compare(b) >= 0 || b.Compare(a) <= 0 || a.Compare(a) != 0 || store.DateOf(a.Time()) != a {
		t.Errorf("%s and %s", a, b)
	}
}

// What a program answers its clients with has names as JSON has them.
func TestJSONOfPageAndErrors(t *testing.T) {
	for want, v := range map[string]any{
		`{"items":[{"id":1}],"next":"abc"}`: store.Page[map[string]int]{Items: []map[string]int{{"id": 1}}, Next: "abc"},
		`{"datatype":"article","row":0,"violations":[{"field":"title","rule":"max","message":"must be short"}]}`: &store.ValidationError{
			Datatype: "article", Violations: []store.Violation{{Field: "title", Rule: "max", Message: "must be short"}}, Cause: errors.New("hunter2"),
		},
		`{"datatype":"article","many":true,"row":0,"violations":null}`: &store.ValidationError{Datatype: "article", Many: true},
	} {
		got, err := json.Marshal(v)
		if err != nil || string(got) != want {
			t.Errorf("%s, want %s (%v)", got, want, err)
		}
	}
}
