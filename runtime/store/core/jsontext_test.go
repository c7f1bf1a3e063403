package core_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// visit stands for a generated payload.
type visit struct {
	At    time.Time  `json:"at"`
	Until *time.Time `json:"until,omitempty"`
	Theme settings   `json:"theme"`
	Words []string   `json:"words"`
	By    map[string]any
}

// Times of a payload become what columns keep, and those of the caller stay as they are.
func TestPayloadTimes(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 7200))
	until := at.Add(time.Hour)
	v := visit{At: at, Until: &until}
	text, err := core.PayloadJSON("visit", v, check.Rules{Kind: check.JSON})
	const want = `{"at":"2026-01-02T01:04:05.123456Z","until":"2026-01-02T02:04:05.123456Z","theme":{"theme":"","code":0},"words":null,"By":null}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	if v.At != at || *v.Until != at.Add(time.Hour) || v.Until.Location() != at.Location() {
		t.Errorf("the payload is %v %v", v.At, v.Until)
	}
}

// Texts that JSON would change are refused by where they stand, also below a MarshalJSON of generated types.
func TestPayloadTexts(t *testing.T) {
	token := "\xff"
	for path, v := range map[string]any{
		"theme.token: ": visit{Theme: settings{Token: &token}},
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
