package cache

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
)

// Each side alone, for a profile:
//
//	go test -bench Set -cpuprofile cpu.prof ./cache
func benchmark(b *testing.B, memory int64, goroutines int, one func(t *trial, i int)) {
	db, err := generated.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "bench.db")+"?cache_kib=131072", generated.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	t := &trial{db: db, texts: cache.New[[]byte](db.CacheEntry, cache.Options{Memory: memory, Codec: cache.Raw()}), value: make([]byte, valueSize)}
	for i := range keyCount {
		t.keys = append(t.keys, "page:"+time.Duration(i).String())
	}
	if err := t.fill(b.Context(), t.texts); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if _, err := t.time(goroutines, b.N, func(i int) error { one(t, i); return nil })(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkSet(b *testing.B) {
	benchmark(b, -1, 64, func(t *trial, i int) {
		if err := t.texts.Set(b.Context(), t.key(i), t.value, time.Hour); err != nil {
			b.Error(err)
		}
	})
}

func BenchmarkGet(b *testing.B) {
	benchmark(b, -1, 1, func(t *trial, i int) { t.texts.Get(b.Context(), t.key(i)) })
}

func BenchmarkGetMemory(b *testing.B) {
	benchmark(b, 256<<20, 1, func(t *trial, i int) { t.texts.Get(b.Context(), t.key(i)) })
}
