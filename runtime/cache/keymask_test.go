package cache_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
)

// TestKeysAreNotPrinted prints keys, and what holds them, in every way that fmt,
// log/slog and encoding/json have.
func TestKeysAreNotPrinted(t *testing.T) {
	secret := []byte("hunter2-hunter2-")
	key := cache.Key{ID: "k1", Secret: secret}
	opts := cache.Options{Keys: []cache.Key{key}, Prefix: "p:"}
	db, err := generated.Open(t.Context(), "sqlite::memory:", generated.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := cache.New[string](db.CacheEntry, opts)
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	values := []any{key, &key, []cache.Key{key}, opts, &opts, map[string]cache.Options{"a": opts}, struct{ O *cache.Options }{&opts}, c}
	var out bytes.Buffer
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("made", "value", v)
		}
		if data, err := json.Marshal(v); err == nil {
			out.Write(data)
		}
	}
	said := strings.ToLower(out.String())
	for name, form := range map[string]string{
		"text": string(secret), "base64": "ahVudGVyMi1odW50ZXIyL", "hex": hex.EncodeToString(secret),
		"numbers": strings.Trim(fmt.Sprint(secret[:4]), "[]"), "Go": "0x68, 0x75",
	} {
		if strings.Contains(said, strings.ToLower(form)) {
			t.Errorf("shows the secret as %s: %s", name, lineWith(said, strings.ToLower(form)))
		}
	}
	if !strings.Contains(said, "k1") || !strings.Contains(said, "***") {
		t.Errorf("does not name the key: %s", said)
	}
}

func lineWith(text, part string) string {
	lines := strings.Split(text, "\n")
	return lines[max(0, slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, part) }))]
}
