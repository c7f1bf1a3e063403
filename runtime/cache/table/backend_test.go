package table_test

import (
	"testing"

	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/cachetest"
)

func TestBackend(t *testing.T) {
	for _, kind := range cachefixture.Kinds {
		t.Run(kind, func(t *testing.T) {
			cachetest.Run(t, func(t *testing.T) cachetest.Open {
				p := cachefixture.FreshPlace(t, kind)
				return func(t testing.TB) cache.Source { return p.Open(t).CacheEntry }
			})
		})
	}
}
