package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// settings stands for a generated struct of a JSON column.
type settings struct {
	Theme string             `json:"theme"`
	Token store.Null[string] `json:"token,omitzero" store:"secret"`
	Code  int64              `json:"code" store:"secret"`
}

func (r settings) MarshalJSON() ([]byte, error) {
	type plain settings
	return core.MaskJSON(plain(r), "token", "code")
}

func (r settings) MarshalStored() ([]byte, error) {
	type plain settings
	return core.StoredJSON(plain(r))
}

type inner struct{ Own settings }

// own is a type of a user's, in which generated ones stand.
type own struct {
	inner
	A     settings            `json:"a"`
	B     *settings           `json:"b,omitempty"`
	Gone  *settings           `json:"gone,omitempty"`
	List  []settings          `json:"list"`
	Pair  [2]*settings        `json:"pair"`
	By    map[string]settings `json:"by"`
	Any   any                 `json:"any"`
	None  any                 `json:"none"`
	Null  store.Null[settings]
	Opt   store.Opt[settings] `json:"opt,omitzero"`
	Unset store.Opt[settings] `json:"unset,omitzero"`
	Skip  settings            `json:"-"`
	Time  time.Time           `json:"time"`
	Raw   json.RawMessage     `json:"raw"`
	small settings
}

// TestStoredJSON holds StoredJSON to what encoding/json writes of the same
// values in types that mask nothing.
func TestStoredJSON(t *testing.T) {
	token := "hunter2"
	s := settings{"dark", store.Some(token), 4711}
	v := own{
		inner: inner{s}, A: s, B: &s, List: []settings{s, {}}, Pair: [2]*settings{&s, nil}, By: map[string]settings{"x": s},
		Any: []any{s, 1, map[string]any{"y": &s}}, Null: store.Some(s), Opt: store.Set(s), Skip: s, Raw: json.RawMessage(`[1]`), small: s,
	}
	masked, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(masked), token) || strings.Contains(string(masked), "4711") || !strings.Contains(string(masked), "***") {
		t.Errorf("json.Marshal shows %s", masked)
	}
	got, err := core.StoredJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	const one = `{"theme":"dark","token":"hunter2","code":4711}`
	const empty = `{"theme":"","code":0}`
	want := fmt.Sprintf(`{"a":%s,"b":%[1]s,"list":[%[1]s,%s],"pair":[%[1]s,null],"by":{"x":%[1]s},"any":[%[1]s,1,{"y":%[1]s}],"none":null,`+
		`"Null":%[1]s,"opt":%[1]s,"time":"0001-01-01T00:00:00Z","raw":[1],"Own":%[1]s}`, one, empty)
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var back own
	if err := json.Unmarshal(got, &back); err != nil || back.A.Token.V != token || back.Null.V.Code != 4711 || back.Own.Code != 4711 {
		t.Errorf("read back %+v, %v", back, err)
	}
	for _, v := range []any{nil, 1, "x", []byte("x"), (*settings)(nil), struct{ A any }{}, own{Raw: json.RawMessage("1")}.By} {
		a, err1 := json.Marshal(v)
		b, err2 := core.StoredJSON(v)
		if string(a) != string(b) || err1 != nil || err2 != nil {
			t.Errorf("%#v: %s, %v; want %s, %v", v, b, err2, a, err1)
		}
	}
}

type circle struct {
	Settings *settings // a secret within makes the type one that is stored by its own method
	Next     *circle
}

func TestStoredJSONEnds(t *testing.T) {
	c := &circle{}
	c.Next = c
	if _, err := core.StoredJSON(c); err == nil {
		t.Error("a circle was written")
	}
	if _, err := core.StoredJSON([]any{settings{}, make(chan int)}); err == nil {
		t.Error("a channel was written")
	}
}

// TestColumnKeepsSecrets: what is bound is what was set, at any depth.
func TestColumnKeepsSecrets(t *testing.T) {
	token := "hunter2"
	v := []own{{A: settings{Token: store.Some(token)}}}
	text, ok := core.JSONField(&v).Bind().(json.RawMessage)
	if !ok || !strings.Contains(string(text), token) {
		t.Errorf("binds %s", text)
	}
}

// TestJSONFaultsHoldNoValues: an error about JSON says where, and not what.
func TestJSONFaultsHoldNoValues(t *testing.T) {
	for doc, want := range map[string]string{
		`{"theme": 4711}`:            "theme holds a number, not a string",
		`{"code": "hunter2"}`:        "code holds a string, not a int64",
		`{"code": 4711.5}`:           "code holds a number, not a int64",
		`[4711]`:                     "a array, not a core_test.settings",
		`{"theme": hunter2}`:         "it is no JSON from byte 11 on",
		`{"theme": "hunter2`:         "it is no JSON from byte",
		`{"theme": "4711"} {"a": 1}`: "it is no JSON from byte",
	} {
		var s settings
		err := core.JSONField(&s).Scan(doc)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "4711") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %s", doc, err, want)
		}
	}
	var at time.Time
	if err := core.JSONField(&at).Scan(`"hunter2"`); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	for err, want := range map[error]string{
		errors.New(`json: unknown field "x"`): `unknown field "x"`,
		errors.New("4711 is no price"):        "a member cannot be decoded (*errors.errorString)",
	} {
		if got := core.JSONFault(err); got.Error() != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	if core.JSONFault(nil) != nil {
		t.Error("no error became one")
	}
}
