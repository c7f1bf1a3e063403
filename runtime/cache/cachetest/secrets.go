package cachetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// account stands for a generated row with a secret, which JSON leaves out.
type account struct {
	Name  string             `json:"name"`
	Token store.Null[string] `json:"-" store:"secret"`
}

// call stands for a generated payload with a secret, whose JSON as it is stored has it.
type call struct {
	URL   string `json:"url"`
	Token string `json:"token" store:"secret"`
}

func (c call) MarshalJSON() ([]byte, error) {
	type plain call
	return core.MaskJSON(plain(c), "token")
}

func (c call) MarshalStored() ([]byte, error) {
	type plain call
	return core.StoredJSON(plain(c))
}

var secretKeys = []cache.Key{{ID: "k1", Secret: []byte("0123456789abcdef")}}

// A value with a secret comes from the backend as it comes from memory, or is not kept.
func testSecrets(t *testing.T, open Open) {
	keeps(t, open, cache.Options{Codec: cache.Gob(), Keys: secretKeys}, account{"ann", store.Some("t0ken")})
	keeps(t, open, cache.Options{Codec: cache.Gob(), Keys: secretKeys}, []*account{{"ann", store.Some("t0ken")}})
	keeps(t, open, cache.Options{}, call{"https://example.com", "t0ken"})
	keeps(t, open, cache.Options{Keys: secretKeys}, map[string]call{"a": {"https://example.com", "t0ken"}})

	refuses[account](t, open, cache.Options{}, "account.Token")
	refuses[*account](t, open, cache.Options{Keys: secretKeys}, "account.Token")
	refuses[account](t, open, cache.Options{Codec: cache.Gob()}, "account.Token")
	refuses[[]account](t, open, cache.Options{Memory: -1}, "account.Token")
	refuses[struct{ Page store.Null[account] }](t, open, cache.Options{}, "account.Token")
	refuses[map[string][]*account](t, open, cache.Options{}, "account.Token")
	refuses[struct {
		Call call
		By   account
	}](t, open, cache.Options{Keys: secretKeys}, "account.Token")
}

// keeps wants a value back from memory and from the backend.
func keeps[V any](t *testing.T, open Open, opts cache.Options, v V) {
	t.Helper()
	opts.Timeout, opts.Jitter, opts.Prefix = patience, -1, fmt.Sprintf("%T", v)
	source := open(t)
	remembering := cache.New[V](source, opts)
	must(t, remembering.Set(t.Context(), "k", v, time.Hour))
	opts.Memory = -1
	for what, c := range map[string]*cache.Cache[V]{"memory": remembering, "the backend": cache.New[V](source, opts)} {
		got, ok := c.Get(t.Context(), "k")
		if shown := fmt.Sprintf("%+v", deep(got)); !ok || shown != fmt.Sprintf("%+v", deep(v)) || !strings.Contains(shown, "t0ken") {
			t.Errorf("%T from %s is %s, %v", v, what, shown, ok)
		}
	}
}

// deep returns what a list of pointers points to, which fmt does not print.
func deep(v any) any {
	list, ok := v.([]*account)
	if !ok {
		return v
	}
	out := make([]account, len(list))
	for i, a := range list {
		out[i] = *a
	}
	return out
}

// refuses wants every method to name the secret.
func refuses[V any](t *testing.T, open Open, opts cache.Options, name string) {
	t.Helper()
	opts.Timeout = patience
	c := cache.New[V](open(t), opts)
	var v V
	for what, err := range map[string]error{"Err": c.Err(), "Set": c.Set(t.Context(), "k", v, time.Hour)} {
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), name+", which is secret") || !strings.Contains(err.Error(), "Options.Keys") {
			t.Errorf("%s of a cache of %T: %v", what, v, err)
		}
	}
	if _, ok := c.Get(t.Context(), "k"); ok {
		t.Errorf("a cache of %T has a value", v)
	}
}
