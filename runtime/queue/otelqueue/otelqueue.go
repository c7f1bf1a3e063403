// Package otelqueue reports jobs to OpenTelemetry. It uses the API alone; the program
// chooses an SDK.
//
//	workers := generated.Workers{
//		JobQueue:        handlers{},
//		JobQueueOptions: queue.Options{Telemetry: otelqueue.New(otelqueue.Options{})},
//	}
//
// Importing the package also makes every job keep the trace of the context in which it
// was enqueued, so that its runs are part of that trace in any process.
package otelqueue

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
)

const instrumentation = "github.com/hegner123/modulagen/runtime/queue"

// Options of New. The zero value uses OpenTelemetry's global providers at the time of
// the call.
type Options struct {
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
}

// New returns a Telemetry that reports a span for each run of a handler, as a child of
// the span that enqueued the job, and these metrics:
//
//	modulagen.queue.jobs      counter; attributes queue, kind, event
//	modulagen.queue.duration  histogram of seconds; attributes queue, kind, event
//
// Several queues can share one.
func New(opts Options) queue.Telemetry {
	if opts.TracerProvider == nil {
		opts.TracerProvider = otel.GetTracerProvider()
	}
	if opts.MeterProvider == nil {
		opts.MeterProvider = otel.GetMeterProvider()
	}
	t := &telemetry{tracer: opts.TracerProvider.Tracer(instrumentation)}
	meter := opts.MeterProvider.Meter(instrumentation)
	// On an error the instrument is not nil, and does nothing.
	t.jobs, _ = meter.Int64Counter("modulagen.queue.jobs", metric.WithDescription("what happened to jobs"), metric.WithUnit("{job}"))
	t.duration, _ = meter.Float64Histogram("modulagen.queue.duration", metric.WithDescription("how long handlers ran"), metric.WithUnit("s"))
	return t
}

type telemetry struct {
	tracer   trace.Tracer
	jobs     metric.Int64Counter
	duration metric.Float64Histogram
}

// traceparent is the header of W3C Trace Context, which rows keep.
const traceparent = "traceparent"

var carrier = propagation.TraceContext{}

func init() {
	engine.KeepTraces(func(ctx context.Context) string {
		if !trace.SpanContextFromContext(ctx).IsValid() {
			return ""
		}
		m := propagation.MapCarrier{}
		carrier.Inject(ctx, m)
		return m.Get(traceparent)
	})
}

// Start starts the span of a run.
func (t *telemetry) Start(ctx context.Context, run queue.JobRun) (context.Context, queue.Span) {
	if run.Trace != "" {
		ctx = carrier.Extract(ctx, propagation.MapCarrier{traceparent: run.Trace})
	}
	ctx, s := t.tracer.Start(ctx, "run "+run.Queue, trace.WithSpanKind(trace.SpanKindConsumer))
	if s.IsRecording() {
		s.SetAttributes(
			attribute.String("messaging.system", "modulagen"), attribute.String("messaging.destination.name", run.Queue),
			attribute.String("modulagen.kind", run.Kind), attribute.Int64("modulagen.attempt", run.Attempt),
		)
	}
	return ctx, span{s}
}

type span struct{ trace.Span }

// Fail records the error of a run.
func (s span) Fail(err error) {
	if s.IsRecording() {
		s.RecordError(err)
		s.SetStatus(codes.Error, "the job failed")
	}
}

// End ends the span.
func (s span) End() { s.Span.End() }

// Count counts an event and, if a handler has run, records its duration.
func (t *telemetry) Count(run queue.JobRun, event queue.EventType, took time.Duration) {
	ctx := context.Background()
	if !t.jobs.Enabled(ctx) && !t.duration.Enabled(ctx) {
		return
	}
	with := metric.WithAttributeSet(attribute.NewSet(
		attribute.String("queue", run.Queue), attribute.String("kind", run.Kind), attribute.String("event", string(event)),
	))
	t.jobs.Add(ctx, 1, with)
	if took > 0 {
		t.duration.Record(ctx, took.Seconds(), with)
	}
}
