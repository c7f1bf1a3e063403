package core_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// visit stands for a generated payload.
type visit struct {
	At    time.Time             `json:"at"`
	Until store.Null[time.Time] `json:"until,omitzero"`
	Theme settings              `json:"theme"`
	Words []string              `json:"words"`
	By    map[string]any
}

// Times of a payload become what columns keep, and those of the caller stay as they are.
func TestPayloadTimes(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 7200))
	until := at.Add(time.Hour)
	v := visit{At: at, Until: store.Some(until)}
	text, err := core.PayloadJSON("visit", v, check.Rules{Kind: check.JSON})
	const want = `{"at":"2026-01-02T01:04:05.123456Z","until":"2026-01-02T02:04:05.123456Z","theme":{"theme":"","code":0},"words":null,"By":null}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	if v.At != at || v.Until.V != at.Add(time.Hour) || v.Until.V.Location() != at.Location() {
		t.Errorf("the payload is %v %v", v.At, v.Until)
	}
}

// Texts that JSON would change are refused by where they stand, also below a MarshalJSON of generated types.
func TestPayloadTexts(t *testing.T) {
	for path, v := range map[string]any{
		"theme.token: ": visit{Theme: settings{Token: store.Some("\xff")}},
		"words[1]: ":    visit{Words: []string{"\ufffd", "a\xffb"}},
		"By: ":          visit{By: map[string]any{"x": []any{map[string]any{"y": "\xff"}}}},
		"":              "\xff",
	} {
		_, err := core.PayloadJSON("visit", v, check.Rules{Kind: check.JSON})
		var invalid *store.ValidationError
		if !errors.As(err, &invalid) || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%q: %v", path, err)
			continue
		}
		want := store.Violation{Field: "payload", Rule: "text", Message: path + "must be valid UTF-8"}
		if invalid.Datatype != "visit" || len(invalid.Violations) != 1 || invalid.Violations[0] != want {
			t.Errorf("%q: %+v", path, invalid)
		}
	}
	if _, err := core.PayloadJSON("visit", visit{Words: []string{"\ufffd", `\ufffd`}}, check.Rules{Kind: check.JSON}); err != nil {
		t.Error(err)
	}
}

// tour stands for a generated payload with an optional member that has members of its own.
type tour struct {
	Name  store.Null[string] `json:"name,omitzero"`
	First store.Null[visit]  `json:"first,omitzero"`
}

// A payload comes back as it was, and a member that is not known is refused at any depth.
func TestDecodePayload(t *testing.T) {
	for text, want := range map[string]tour{
		`{}`:                           {},
		`{"name":null}`:                {},
		`{"name":"n","first":null}`:    {Name: store.Some("n")},
		`{"first":{"words":["a"]}}`:    {First: store.Some(visit{Words: []string{"a"}})},
		` {"first":{"until":null}} `:   {First: store.Some(visit{})},
		`{"FIRST":{"WORDS":["a"]}} {}`: {First: store.Some(visit{Words: []string{"a"}})},
	} {
		var got tour
		if err := core.DecodePayload([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, what := range map[string]string{
		`{"nam":"n"}`:             "unknown field",
		`{"first":{"word":[]}}`:   "unknown field",
		`{"FIRST":{"word":[]}}`:   "unknown field",
		`{"name":7}`:              "name holds a number",
		`{"first":{"words":[7]}}`: "words holds a number",
	} {
		var got tour
		if err := core.JSONFault(core.DecodePayload([]byte(text), &got)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want %q", text, err, what)
		}
	}
}

// A member without a value is absent in JSON, as a nil pointer with omitempty was.
func TestOptionalMembers(t *testing.T) {
	for want, v := range map[string]tour{
		`{}`:          {Name: store.Null[string]{V: "not valid"}},
		`{"name":""}`: {Name: store.Some("")},
	} {
		if got, err := core.StoredJSON(v); err != nil || string(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}
