package feed

import (
	"context"
	"testing"

	"github.com/hegner123/modulagen/runtime/event"
)

// TestFormer reads rows of before under the names of now, and leaves those of now as they are.
func TestFormer(t *testing.T) {
	f := &Former{
		// headline was title; b was a and c was b at once, so that the name b has meant both; the last two changed places.
		Members: map[string]string{"headline": "title", "b": "a", "c": "b", "opens": "closes", "closes": "opens"},
		Options: map[string]map[string]string{"status": {"published": "live"}},
		Kept:    []string{"headline"},
		// unit was currency in the documents of price; b holds none.
		Documents: map[string]map[string]string{"price": {"unit": "currency"}, "b": {"x": "y"}},
	}
	for name, test := range map[string]struct{ row, want string }{
		"none":              {"", ""},
		"renamed":           {`{"id":1,"title":"x"}`, `{"headline":"x","id":1,"title":"x"}`},
		"of now":            {`{"headline":"new","title":"old"}`, `{"headline":"new","title":"old"}`},
		"chain":             {`{"a":1,"b":2}`, `{"a":1,"b":1,"c":2}`},
		"chain of now":      {`{"b":1,"c":2}`, `{"b":1,"c":2}`},
		"swapped":           {`{"closes":"c","opens":"o"}`, `{"closes":"c","opens":"o"}`},
		"option":            {`{"status":"published"}`, `{"status":"live"}`},
		"option of now":     {`{"status":"draft"}`, `{"status":"draft"}`},
		"no option":         {`{"status":null}`, `{"status":null}`},
		"large whole":       {`{"n":9007199254740993,"title":"<&>"}`, `{"headline":"\u003c\u0026\u003e","n":9007199254740993,"title":"\u003c\u0026\u003e"}`},
		"document":          {`{"price":{"amount":9007199254740993,"currency":"EUR"}}`, `{"price":{"amount":9007199254740993,"currency":"EUR","unit":"EUR"}}`},
		"document of now":   {`{"price":{"unit":"EUR"}}`, `{"price":{"unit":"EUR"}}`},
		"no document":       {`{"price":null}`, `{"price":null}`},
		"what is null then": {`{"title":null}`, `{"headline":null,"title":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			err := Renamed(f, func(_ context.Context, _ event.Event, before, after []byte) error {
				calls++
				if string(before) != test.want || string(after) != test.want {
					t.Errorf("before is %s and after %s, want %s", before, after, test.want)
				}
				return nil
			})(t.Context(), event.Event{}, []byte(test.row), []byte(test.row))
			if err != nil || calls != 1 {
				t.Errorf("%d calls, %v", calls, err)
			}
		})
	}
	if err := Renamed(f, nil)(t.Context(), event.Event{}, []byte("["), nil); err == nil {
		t.Error("what is no row has no error")
	}
}

// TestKeptNames writes kept members under both names, and one that is left out, as a secret is, under neither.
func TestKeptNames(t *testing.T) {
	f := &Former{Members: map[string]string{"headline": "title", "token": "key"}, Kept: []string{"headline", "token"}}
	for row, want := range map[string]string{"": "", `{"headline":"x"}`: `{"headline":"x","title":"x"}`} {
		if got, err := f.alsoBefore(row); got != want || err != nil {
			t.Errorf("%s is written as %s, %v", row, got, err)
		}
		if got, err := (*Former)(nil).alsoBefore(row); got != row || err != nil {
			t.Errorf("%s without names before is written as %s, %v", row, got, err)
		}
	}
}
