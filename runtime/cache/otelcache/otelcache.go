// Package otelcache shows what caches do to OpenTelemetry, through its API alone:
// the program chooses what becomes of it.
//
//	stop, err := otelcache.Observe(otel.Meter("app"), "pages", pages.Stats)
package otelcache

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/hegner123/modulagen/runtime/cache"
)

// Observe has a meter read a cache's figures whenever it collects, under the
// attribute cache=name, until stop is called:
//
//	cache.reads       by outcome: memory, backend, stale, miss
//	cache.writes
//	cache.loads       by outcome: ok, error; cache.load.time in seconds
//	cache.discarded   loaded values that were invalidated meanwhile
//	cache.errors      by kind: backend, undecodable
//	cache.removed     by cause: expired, evicted
//	cache.memory.entries, cache.memory.size in bytes
//
// Reading costs nothing but the counters: no database is asked.
func Observe(meter metric.Meter, name string, stats func() cache.Stats) (stop func() error, err error) {
	o := &observer{meter: meter, stats: stats, is: attribute.String("cache", name)}
	reads := o.counter("cache.reads", "{read}", "reads by outcome")
	writes := o.counter("cache.writes", "{value}", "values written")
	loads := o.counter("cache.loads", "{load}", "loads by outcome")
	discarded := o.counter("cache.discarded", "{value}", "loaded values that were invalidated meanwhile")
	errs := o.counter("cache.errors", "{error}", "failures that became misses, by kind")
	removed := o.counter("cache.removed", "{entry}", "entries removed, by cause")
	var loadTime metric.Float64ObservableCounter
	if o.err == nil {
		loadTime, o.err = meter.Float64ObservableCounter("cache.load.time", metric.WithUnit("s"), metric.WithDescription("time spent in loads"))
	}
	entries := o.gauge("cache.memory.entries", "{entry}", "entries in memory")
	bytes := o.gauge("cache.memory.size", "By", "bytes in memory, encoded")
	if o.err != nil {
		return nil, fmt.Errorf("otelcache: %w", o.err)
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		s := stats()
		to.ObserveInt64(reads, s.MemoryHits, o.with("outcome", "memory"))
		to.ObserveInt64(reads, s.BackendHits, o.with("outcome", "backend"))
		to.ObserveInt64(reads, s.StaleHits, o.with("outcome", "stale"))
		to.ObserveInt64(reads, s.Misses, o.with("outcome", "miss"))
		to.ObserveInt64(writes, s.Sets, metric.WithAttributes(o.is))
		to.ObserveInt64(loads, s.Loads-s.LoadErrors, o.with("outcome", "ok"))
		to.ObserveInt64(loads, s.LoadErrors, o.with("outcome", "error"))
		to.ObserveFloat64(loadTime, s.LoadTime.Seconds(), metric.WithAttributes(o.is))
		to.ObserveInt64(discarded, s.Discarded, metric.WithAttributes(o.is))
		to.ObserveInt64(errs, s.Errors, o.with("kind", "backend"))
		to.ObserveInt64(errs, s.Undecodable, o.with("kind", "undecodable"))
		to.ObserveInt64(removed, s.Expired, o.with("cause", "expired"))
		to.ObserveInt64(removed, s.Evicted, o.with("cause", "evicted"))
		to.ObserveInt64(entries, s.MemoryEntries, metric.WithAttributes(o.is))
		to.ObserveInt64(bytes, s.MemoryBytes, metric.WithAttributes(o.is))
		return nil
	}, reads, writes, loads, discarded, errs, removed, loadTime, entries, bytes)
	if err != nil {
		return nil, fmt.Errorf("otelcache: %w", err)
	}
	return registration.Unregister, nil
}

// observer makes instruments and keeps its first error.
type observer struct {
	meter metric.Meter
	stats func() cache.Stats
	is    attribute.KeyValue
	err   error
}

func (o *observer) counter(name, unit, help string) (c metric.Int64ObservableCounter) {
	if o.err == nil {
		c, o.err = o.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(help))
	}
	return c
}

func (o *observer) gauge(name, unit, help string) (g metric.Int64ObservableGauge) {
	if o.err == nil {
		g, o.err = o.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(help))
	}
	return g
}

func (o *observer) with(key, value string) metric.MeasurementOption {
	return metric.WithAttributes(o.is, attribute.String(key, value))
}
