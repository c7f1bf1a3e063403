package core

import (
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
)

// A row that a join leaves out is NULL, whatever the row before it was.
func TestNullRow(t *testing.T) {
	type person struct {
		id   int64
		name string
		nick store.Null[string]
	}
	var p store.Null[person]
	places := NullRow(&p, func(row any, buf []any) []any {
		r := row.(*person)
		return append(buf, &r.id, &r.name, &r.nick)
	})
	for _, c := range []struct {
		from [3]any
		want store.Null[person]
	}{
		{[3]any{int64(1), "ann", "a"}, store.Some(person{1, "ann", store.Some("a")})},
		{[3]any{nil, nil, nil}, store.Null[person]{}},
		{[3]any{int64(2), "bob", nil}, store.Some(person{id: 2, name: "bob"})},
	} {
		for i, src := range c.from {
			if err := Assign(places[i], src); err != nil {
				t.Fatal(err)
			}
		}
		if p != c.want {
			t.Errorf("%v becomes %+v", c.from, p)
		}
	}
	if err := Assign(places[0], "x"); err == nil {
		t.Error("a text is an id")
	}
}

func TestRoundUp(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 4, 1_000: 1_024, 4_096: 4_096, 4_097: 8_192, 32_766: 32_768} {
		if got := roundUp(n); got != want {
			t.Errorf("%d values have %d placeholders, want %d", n, got, want)
		}
	}
}
