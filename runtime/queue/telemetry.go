package queue

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/hegner123/modulagen/runtime/store"
)

const instrumentation = "github.com/hegner123/modulagen/runtime/queue"

// telemetry tells OpenTelemetry, through its API alone, of each run a span, and
// of all of them numbers:
//
//	modulagen.queue.jobs      counter; attributes queue, kind, event
//	modulagen.queue.duration  histogram of seconds; attributes queue, kind, event
type telemetry struct {
	name     string
	tracer   trace.Tracer
	jobs     metric.Int64Counter
	duration metric.Float64Histogram
}

func newTelemetry(s *shape, o Options) *telemetry {
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	t := &telemetry{name: s.name, tracer: o.TracerProvider.Tracer(instrumentation)}
	meter := o.MeterProvider.Meter(instrumentation)
	// An instrument comes with the error, and does nothing then.
	t.jobs, _ = meter.Int64Counter("modulagen.queue.jobs", metric.WithDescription("what happened to jobs"), metric.WithUnit("{job}"))
	t.duration, _ = meter.Float64Histogram("modulagen.queue.duration", metric.WithDescription("how long handlers ran"), metric.WithUnit("s"))
	return t
}

var carrier = propagation.TraceContext{}

// Trace is the trace that ctx is part of, as a row keeps it; unset without one.
// Generated code calls it.
func Trace(ctx context.Context) store.Opt[string] {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return store.Opt[string]{}
	}
	m := propagation.MapCarrier{}
	carrier.Inject(ctx, m)
	return store.Set(m.Get("traceparent"))
}

// begin starts the span of a run, as a child of the one that enqueued the job.
func (t *telemetry) begin(ctx context.Context, c *claim) (context.Context, func(error)) {
	if c.Trace != "" {
		ctx = carrier.Extract(ctx, propagation.MapCarrier{"traceparent": c.Trace})
	}
	ctx, span := t.tracer.Start(ctx, "run "+t.name, trace.WithSpanKind(trace.SpanKindConsumer))
	if !span.IsRecording() {
		return ctx, func(error) { span.End() }
	}
	span.SetAttributes(
		attribute.String("messaging.system", "modulagen"), attribute.String("messaging.destination.name", t.name),
		attribute.String("modulagen.kind", c.Kind), attribute.Int64("modulagen.attempt", c.Attempt),
	)
	return ctx, func(err error) {
		if err != nil {
			record(span, err)
			span.SetStatus(codes.Error, "the job failed")
		}
		span.End()
	}
}

// record hands an error to a span. The handler's own, whose type is worth knowing,
// goes there when its methods have proved to work.
func record(span trace.Span, err error) {
	f, ok := err.(*failure)
	if !ok || !f.sound {
		span.RecordError(err)
		return
	}
	defer func() {
		if recover() != nil {
			span.AddEvent("exception", trace.WithAttributes(attribute.String("exception.message", f.text)))
		}
	}()
	span.RecordError(f.err)
}

func (t *telemetry) count(c *claim, event EventType, took time.Duration) {
	ctx := context.Background()
	if !t.jobs.Enabled(ctx) && !t.duration.Enabled(ctx) {
		return
	}
	with := metric.WithAttributeSet(attribute.NewSet(
		attribute.String("queue", t.name), attribute.String("kind", c.Kind), attribute.String("event", string(event)),
	))
	t.jobs.Add(ctx, 1, with)
	if took > 0 {
		t.duration.Record(ctx, took.Seconds(), with)
	}
}
