package queue

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// Telemetry observes the jobs of a worker. Package otelqueue makes one that reports
// to OpenTelemetry. Its methods are called from many goroutines at once, and hold
// up the job that they are about.
type Telemetry interface {
	// Start is called before each run of a handler. The handler gets the context
	// that it returns, and the span ends with the run.
	Start(ctx context.Context, run JobRun) (context.Context, Span)
	// Count is called for each event of a job. took is how long its handler has
	// run; zero where none has.
	Count(run JobRun, event EventType, took time.Duration)
}

// Span is one run of a handler.
type Span interface {
	// Fail is called with the error of a run that failed, before End. It is called
	// again, with an error that has the same text, if it panics.
	Fail(err error)
	End()
}

// JobRun is a run of a job.
type JobRun struct {
	Queue   string // the datatype's name
	Kind    string // empty in a queue without kinds
	Attempt int64  // from 1
	Trace   string // the trace that enqueued the job, as a traceparent of W3C's; empty without one
}

// telemetry is what the engine tells a Telemetry, if there is one.
type telemetry struct {
	name string
	to   Telemetry
}

func (t *telemetry) run(c *claim) JobRun {
	return JobRun{Queue: t.name, Kind: c.Kind, Attempt: c.Attempt, Trace: c.Trace}
}

// begin starts the span of a run, and returns what ends it.
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

// fail hands an error to a span. The handler's own, whose type is worth knowing,
// goes there when its methods have proved to work.
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

// traceOf finds the trace that a context is part of.
var traceOf atomic.Pointer[func(context.Context) string]

// KeepTraces has rows keep the trace that enqueued them: find returns that of a
// context as a traceparent of W3C's, and "" without one. Package otelqueue calls
// it when it is imported.
func KeepTraces(find func(ctx context.Context) string) { traceOf.Store(&find) }

// Trace is the trace that ctx is part of, as a row keeps it; unset without one.
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
