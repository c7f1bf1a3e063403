package otelcache_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/otelcache"
)

func TestObserve(t *testing.T) {
	reader := sdk.NewManualReader()
	meter := sdk.NewMeterProvider(sdk.WithReader(reader)).Meter("test")
	stats := cache.Stats{
		MemoryHits: 1, BackendHits: 2, StaleHits: 3, Misses: 4, Sets: 5, Loads: 7, LoadErrors: 1, LoadTime: 1500 * time.Millisecond,
		Discarded: 8, Errors: 9, Undecodable: 10, Expired: 11, Evicted: 12, MemoryEntries: 13, MemoryBytes: 14,
	}
	stop, err := otelcache.Observe(meter, "pages", func() cache.Stats { return stats })
	if err != nil {
		t.Fatal(err)
	}
	got := collect(t, reader)
	for what, want := range map[string]float64{
		"cache.reads memory": 1, "cache.reads backend": 2, "cache.reads stale": 3, "cache.reads miss": 4, "cache.writes ": 5,
		"cache.loads ok": 6, "cache.loads error": 1, "cache.load.time ": 1.5, "cache.discarded ": 8, "cache.errors backend": 9,
		"cache.errors undecodable": 10, "cache.removed expired": 11, "cache.removed evicted": 12,
		"cache.memory.entries ": 13, "cache.memory.size ": 14,
	} {
		if got[what] != want {
			t.Errorf("%s is %v, want %v", what, got[what], want)
		}
	}
	if len(got) != 15 {
		t.Errorf("%d figures: %v", len(got), got)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := collect(t, reader); len(got) != 0 {
		t.Errorf("after stop: %v", got)
	}
}

// collect returns each figure by its name and the attribute beside the cache's.
func collect(t *testing.T, reader *sdk.ManualReader) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	add := func(name string, attrs attribute.Set, v float64) {
		which := ""
		for _, a := range attrs.ToSlice() {
			if a.Key == "cache" && a.Value.AsString() != "pages" {
				t.Errorf("%s is of the cache %s", name, a.Value.AsString())
			}
			if a.Key != "cache" {
				which = a.Value.AsString()
			}
		}
		out[name+" "+which] = v
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, float64(p.Value))
				}
			case metricdata.Sum[float64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					add(m.Name, p.Attributes, float64(p.Value))
				}
			}
		}
	}
	return out
}
