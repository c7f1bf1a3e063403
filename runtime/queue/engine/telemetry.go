package engine

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// telemetry calls a Telemetry, if there is one.
type telemetry struct {
	name string
	to   queue.Telemetry
}

func (t *telemetry) run(c *claim) queue.JobRun {
	return queue.JobRun{Queue: t.name, Kind: c.Kind, Attempt: c.Attempt, Trace: c.Trace}
}

// begin starts the span of a run, and returns the function that ends it.
func (t *telemetry) begin(ctx context.Context, c *claim) (context.Context, func(error)) {
	if t.to == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.to.Start(ctx, t.run(c))
	return ctx, func(err error) {
		if err != nil {
			fail(span, err)
		}
		span.End()
	}
}

// fail passes an error to a span: the handler's own, whose type may matter, if its
// methods are known to work.
func fail(span queue.Span, err error) {
	f, ok := err.(*failure)
	if !ok || !f.sound {
		span.Fail(err)
		return
	}
	defer func() {
		if recover() != nil {
			span.Fail(f)
		}
	}()
	span.Fail(f.err)
}

func (t *telemetry) count(c *claim, event queue.EventType, took time.Duration) {
	if t.to != nil {
		t.to.Count(t.run(c), event, took)
	}
}

// traceOf returns the trace of a context.
var traceOf atomic.Pointer[func(context.Context) string]

// KeepTraces makes rows keep the trace that enqueued them. find returns the trace of
// a context as a W3C traceparent, or "". Package otelqueue calls KeepTraces when it
// is imported.
func KeepTraces(find func(ctx context.Context) string) { traceOf.Store(&find) }

// Trace returns the trace of ctx as a row keeps it, unset if there is none.
// Generated code calls it.
func Trace(ctx context.Context) store.Opt[string] {
	find := traceOf.Load()
	if find == nil {
		return store.Opt[string]{}
	}
	if trace := (*find)(ctx); trace != "" {
		return store.Set(trace)
	}
	return store.Opt[string]{}
}
