package project_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

type payload struct {
	Month int64  `json:"month"`
	Note  string `json:"note"`
}

// TestKindOf refuses what the typed method would, and what JSON can be beside.
func TestKindOf(t *testing.T) {
	var got []payload
	k := project.KindOf("report", []check.Member{
		{Name: "month", Rules: check.Rules{Kind: check.Int, Required: true, Min: check.At("1")}},
		{Name: "note", Rules: check.Rules{Kind: check.Text, Max: check.At("3")}},
	}, func(_ context.Context, _ *core.Conn, p payload) (any, error) {
		got = append(got, p)
		return int64(len(got)), nil
	})
	for text, want := range map[string]string{
		`{"month": 3, "note": "abc"}`:  "",
		`{"month": 3}`:                 "",
		``:                             "month",
		`{}`:                           "month",
		`null`:                         "report",
		`{"month": 0}`:                 "month",
		`{"month": "3"}`:               "report",
		`{"month": 3, "note": "abcd"}`: "note",
		`{"month": 3, "extra": 1}`:     "report",
		`{"month": 3} {"month": 4}`:    "report",
		`{"month": 3`:                  "report",
		`[1]`:                          "report",
	} {
		before := len(got)
		err := k.Check(store.JSON(text))
		id, enqueueErr := k.Enqueue(t.Context(), nil, store.JSON(text))
		if want == "" {
			if err != nil || enqueueErr != nil || id != int64(before+1) || got[before].Month != 3 {
				t.Errorf("%s: %v, %v, %v", text, err, enqueueErr, got)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || enqueueErr == nil || len(got) != before {
			t.Errorf("%s: %v, %v", text, err, enqueueErr)
		}
	}
}
