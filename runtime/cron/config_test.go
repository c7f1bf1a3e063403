package cron_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/store"
)

type inner struct {
	Deep int `json:"deep"`
}

// config has a field of each kind.
type config struct {
	Name   string            `json:"name"`
	Count  int               `json:"count,omitempty"`
	Ratio  float64           `json:"ratio,omitempty"`
	On     bool              `json:"on,omitzero"`
	List   []string          `json:"list,omitempty"`
	Inner  *inner            `json:"inner,omitempty"`
	Any    map[string]string `json:"any,omitempty"`
	Raw    json.RawMessage   `json:"raw,omitempty"`
	Hidden string            `json:"-"`
}

func (c *config) Validate() error {
	switch c.Name {
	case "plain":
		return errors.New("has a plain name")
	case "exact":
		return &cron.ConfigError{Path: "name", Problem: "is too exact"}
	}
	return nil
}

// Each wrong configuration is refused, in the words of somebody who wrote JSON.
func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                        "cron: the configuration is not valid JSON: ",
		`[]`:                       "cron: the configuration is not an object",
		`"a"`:                      "cron: the configuration is not an object",
		`{"name":"a"} {}`:          "cron: the configuration is not valid JSON: ",
		``:                         "cron: the configuration's name is missing",
		`null`:                     "cron: the configuration's name is missing",
		`{"count":1}`:              "cron: the configuration's name is missing",
		`{"name":7}`:               "cron: the configuration's name is a number, and must be a string",
		`{"name":"a","count":"1"}`: "cron: the configuration's count is a string, and must be a whole number",
		`{"name":"a","count":1.5}`: "cron: the configuration's count is a number 1.5, and must be a whole number",
		`{"name":"a","ratio":"1"}`: "cron: the configuration's ratio is a string, and must be a number",
		`{"name":"a","on":1}`:      "cron: the configuration's on is a number, and must be true or false",
		`{"name":"a","list":"a"}`:  "cron: the configuration's list is a string, and must be a list",
		`{"name":"a","any":[]}`:    "cron: the configuration's any is a array, and must be an object",
		`{"name":"a","inner":{}}`:  "cron: the configuration's inner.deep is missing",
		`{"name":"a","inner":{"deep":1,"dep":2}}`:       "cron: the configuration's inner.dep is not known; is deep meant?",
		`{"name":"a","cuont":1}`:                        "cron: the configuration's cuont is not known; is count meant?",
		`{"name":"a","Hidden":"b"}`:                     "cron: the configuration's Hidden is not known: the keys are name, count, ratio, on, list, inner, any, raw",
		`{"Name":"a"}`:                                  "cron: the configuration's name is missing\ncron: the configuration's Name is not known; is name meant?",
		`{"name":"plain"}`:                              "cron: the configuration cannot be used: has a plain name",
		`{"name":"exact"}`:                              "cron: the configuration's name is too exact",
		`{"name":"` + strings.Repeat("a", 65536) + `"}`: "cron: the configuration has 65547 bytes, and 65536 are permitted",
	} {
		_, err := cron.Decode[config](store.JSON(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, cron.ErrConfig) {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
}

func TestDecode(t *testing.T) {
	got, err := cron.Decode[config](store.JSON(` {"action": "x", "name": "a", "on": true, "inner": {"deep": 3}, "any": {"k": "v"}, "raw": [1]} `))
	if err != nil || got.Name != "a" || !got.On || got.Inner.Deep != 3 || got.Any["k"] != "v" || string(got.Raw) != "[1]" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := cron.Decode[struct{}](store.JSON(`{"fast": true}`)); err == nil || !strings.Contains(err.Error(), "the action has no configuration") {
		t.Errorf("an action without a configuration: %v", err)
	}
}

// A function has its configuration checked before each run, too: SQL may have written it.
func TestFunc(t *testing.T) {
	calls := 0
	a := cron.Func(func(_ context.Context, r *cron.Run, c config) error {
		calls++
		r.Printf("%s", c.Name)
		return nil
	})
	r := &cron.Run{Config: store.JSON(`{"name": "a"}`)}
	if err := errors.Join(a.Check(r.Config), a.Run(t.Context(), r)); err != nil || r.Output() != "a" {
		t.Errorf("%q, %v", r.Output(), err)
	}
	wrong := &cron.Run{Config: store.JSON(`{"nme": "a"}`)}
	if err := a.Run(t.Context(), wrong); !errors.Is(err, cron.ErrConfig) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}
