package core_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// user stands for a generated row, userPatch for a patch.
type user struct {
	ID    int64
	Name  store.Null[string]
	Token string
	Key   store.Null[store.JSON]
	Data  store.JSON
}

func (r user) Format(f fmt.State, verb rune) { core.FormatRow(f, verb, r, "Token", "Key") }
func (r user) LogValue() slog.Value          { return core.LogRow(r, "Token", "Key") }

type userPatch struct {
	Name  store.Opt[string]
	Age   store.Opt[int64]
	Token store.Opt[string]
	Key   store.Opt[store.JSON]
}

func (p userPatch) Format(f fmt.State, verb rune) { core.FormatRow(f, verb, p, "Token", "Key") }
func (p userPatch) LogValue() slog.Value          { return core.LogRow(p, "Token", "Key") }

// TestSecretsStayAside prints rows and patches in every way that fmt and slog have.
func TestSecretsStayAside(t *testing.T) {
	const secret = "hunter2"
	u := user{ID: 7, Name: store.Some("Ann"), Token: secret, Key: store.Some(store.JSON(`"` + secret + `"`)), Data: store.JSON(`{"a":1}`)}
	p := userPatch{Name: store.SetNull[string](), Token: store.Set(secret)}
	for _, c := range []struct {
		format string
		value  any
		want   string
	}{
		{"%v", u, `{7 Ann *** *** {"a":1}}`},
		{"%+v", u, `{ID:7 Name:Ann Token:*** Key:*** Data:{"a":1}}`},
		{"%+v", &u, `{ID:7 Name:Ann Token:*** Key:*** Data:{"a":1}}`},
		{"%+v", []user{u}, `[{ID:7 Name:Ann Token:*** Key:*** Data:{"a":1}}]`},
		{"%#v", u, `core_test.user{ID:7 Name:Ann Token:*** Key:*** Data:{"a":1}}`},
		{"%s", u, `{7 Ann *** *** {"a":1}}`},
		{"%x", u, `{7 Ann *** *** {"a":1}}`},
		{"%v", user{}, `{0 <nil> *** *** }`},
		{"%+v", p, `{Name:null Token:***}`},
		{"%v", p, `{null <unset> *** <unset>}`},
		{"%+v", (*user)(nil), `<nil>`},
	} {
		if got := fmt.Sprintf(c.format, c.value); got != c.want {
			t.Errorf("%s is %s, want %s", c.format, got, c.want)
		}
	}
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("saved", "user", u, "pointer", &u, "patch", p, "all", fmt.Sprint([]user{u}))
	}
	said := out.String()
	if strings.Contains(said, secret) || !strings.Contains(said, "user.Name=Ann user.Token=*** user.Key=***") ||
		!strings.Contains(said, `"patch":{"Name":"null","Token":"***"}`) {
		t.Errorf("the log is %s", said)
	}
	if _, err := json.Marshal(u.Name); err != nil {
		t.Error(err)
	}
}

// TestOptPrintsByItsValue: fmt does not look past the methods of what is set.
func TestOptPrintsByItsValue(t *testing.T) {
	for _, c := range []struct {
		format string
		value  any
		want   string
	}{
		{"%v", store.Set(7), "7"},
		{"%05d", store.Set(int64(7)), "00007"},
		{"%q", store.Set("a"), `"a"`},
		{"%v", store.SetNull[int](), "null"},
		{"%v", store.Opt[int]{}, "<unset>"},
		{"%+v", struct{ A store.Opt[user] }{store.Set(user{Token: "hunter2"})}, "{A:{ID:0 Name:<nil> Token:*** Key:*** Data:}}"},
	} {
		if got := fmt.Sprintf(c.format, c.value); got != c.want {
			t.Errorf("%s is %s, want %s", c.format, got, c.want)
		}
	}
}
