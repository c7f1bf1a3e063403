package queue

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// Telemetry observes the jobs of a worker. Package otelqueue has one that reports to
// OpenTelemetry. Its methods are called from many goroutines at once, and the job
// waits for them.
type Telemetry interface {
	// Start is called before each run of a handler, which is called with the context
	// that it returns. The span ends with the run.
	Start(ctx context.Context, run JobRun) (context.Context, Span)
	// Count is called for each event of a job. took is how long its handler has run,
	// zero if it has not.
	Count(run JobRun, event EventType, took time.Duration)
}

// Span is one run of a handler.
type Span interface {
	// Fail is called with the error of a run that failed, before End. If it panics, it
	// is called again with an error that has the same text.
	Fail(err error)
	End()
}

// JobRun is a run of a job.
type JobRun struct {
	Queue   string // the datatype's name
	Kind    string // empty in a queue without kinds
	Attempt int64  // from 1
	Trace   string // the trace that enqueued the job, as a W3C traceparent; empty without one
}

// telemetry calls a Telemetry, if there is one.
type telemetry struct {
	name string
	to   Telemetry
}

func (t *telemetry) run(c *claim) JobRun {
	return JobRun{Queue: t.name, Kind: c.Kind, Attempt: c.Attempt, Trace: c.Trace}
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
func fail(span Span, err error) {
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

func (t *telemetry) count(c *claim, event EventType, took time.Duration) {
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
