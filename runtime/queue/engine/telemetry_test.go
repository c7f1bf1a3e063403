package engine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	meternoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/otelqueue"
)

// spans is a tracer provider that records its calls.
type spans struct {
	tracenoop.TracerProvider
	mu   sync.Mutex
	list []*span
}

type span struct {
	tracenoop.Span
	name   string
	kind   trace.SpanKind
	parent trace.SpanContext
	self   trace.SpanContext
	attrs  attribute.Set
	status codes.Code
	err    error
	ended  bool
}

func (s *spans) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{s: s} }

type tracer struct {
	tracenoop.Tracer
	s *spans
}

func (t tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	config := trace.NewSpanStartConfig(opts...)
	sp := &span{name: name, kind: config.SpanKind(), parent: trace.SpanContextFromContext(ctx)}
	id := sp.parent.TraceID()
	if !id.IsValid() {
		id = trace.TraceID{15: byte(len(t.s.list) + 1)}
	}
	var own trace.SpanID
	binary.BigEndian.PutUint64(own[:], uint64(len(t.s.list)+1))
	sp.self = trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: own, TraceFlags: trace.FlagsSampled})
	t.s.list = append(t.s.list, sp)
	return trace.ContextWithSpan(ctx, sp), sp
}

func (s *span) SpanContext() trace.SpanContext                { return s.self }
func (s *span) IsRecording() bool                             { return true }
func (s *span) SetAttributes(list ...attribute.KeyValue)      { s.attrs = attribute.NewSet(list...) }
func (s *span) SetStatus(c codes.Code, _ string)              { s.status = c }
func (s *span) RecordError(err error, _ ...trace.EventOption) { s.err = err }
func (s *span) End(...trace.SpanEndOption)                    { s.ended = true }

// The span of a run is a child of the span that enqueued its job, through the
// database and whichever process runs it; handlers see it in their context.
func TestTrace(t *testing.T) {
	no := errors.New("no")
	onPlaces(t, func(t *testing.T, p place) {
		here, there := p.open(t, generated.Options{}), p.open(t, generated.Options{})
		all := &spans{}
		ctx, request := all.Tracer("test").Start(t.Context(), "a request")
		if _, err := here.JobQueue.EnqueueImageOptimize(ctx, generated.ImageOptimize{MediaID: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := here.JobQueue.EnqueueImageOptimizeMany(t.Context(), []generated.ImageOptimize{{MediaID: 2}}); err != nil {
			t.Fatal(err)
		}
		var seen []trace.SpanContext
		drain(t, there, images(func(ctx context.Context, j *generated.ImageOptimizeJob) error {
			seen = append(seen, trace.SpanContextFromContext(ctx))
			if j.Payload.MediaID == 2 {
				return no
			}
			return nil
		}), queue.Options{Telemetry: otelqueue.New(otelqueue.Options{TracerProvider: all}), Backoff: queue.Delays(time.Hour)})
		if len(all.list) != 3 || len(seen) != 2 {
			t.Fatalf("%d spans, %d runs; want 3 and 2", len(all.list), len(seen))
		}
		first, second := all.list[1], all.list[2]
		if first.parent.SpanID() != request.SpanContext().SpanID() || first.parent.TraceID() != request.SpanContext().TraceID() {
			t.Errorf("the run's parent is %v, want the request %v", first.parent, request.SpanContext())
		}
		if second.parent.IsValid() {
			t.Errorf("a job that no trace enqueued has the parent %v", second.parent)
		}
		for i, s := range []*span{first, second} {
			if s.name != "run job_queue" || s.kind != trace.SpanKindConsumer || !s.ended || !s.self.Equal(seen[i]) {
				t.Errorf("span %d is %+v, the handler saw %v", i, s, seen[i])
			}
			if v, _ := s.attrs.Value("modulagen.kind"); v.AsString() != "image_optimize" {
				t.Errorf("span %d has the attributes %v", i, s.attrs.ToSlice())
			}
		}
		if first.status != codes.Unset || second.status != codes.Error || !errors.Is(second.err, no) {
			t.Errorf("the runs ended %s and %s with %v", first.status, second.status, second.err)
		}
	})
}

// counts is a meter provider that records its calls.
type counts struct {
	meternoop.MeterProvider
	mu    sync.Mutex
	jobs  map[attribute.Distinct]int64
	timed map[attribute.Distinct]int
}

func (c *counts) Meter(string, ...metric.MeterOption) metric.Meter { return meter{c: c} }

type meter struct {
	meternoop.Meter
	c *counts
}

func (m meter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return counter{c: m.c}, nil
}

func (m meter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return histogram{c: m.c}, nil
}

type counter struct {
	meternoop.Int64Counter
	c *counts
}

func (counter) Enabled(context.Context) bool { return true }

func (k counter) Add(_ context.Context, n int64, opts ...metric.AddOption) {
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	config := metric.NewAddConfig(opts)
	k.c.jobs[distinct(config.Attributes())] += n
}

type histogram struct {
	meternoop.Float64Histogram
	c *counts
}

func (h histogram) Record(_ context.Context, seconds float64, opts ...metric.RecordOption) {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	config := metric.NewRecordConfig(opts)
	if seconds > 0 {
		h.c.timed[distinct(config.Attributes())]++
	}
}

func distinct(s attribute.Set) attribute.Distinct { return s.Equivalent() }

func TestMetrics(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		c := &counts{jobs: map[attribute.Distinct]int64{}, timed: map[attribute.Distinct]int{}}
		for i := range 6 {
			enqueue(t, db, int64(i))
		}
		drain(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			switch j.Payload.MediaID {
			case 0:
				return queue.Discard(errors.New("no"))
			case 1, 2:
				return errors.New("no")
			}
			return nil
		}), queue.Options{Telemetry: otelqueue.New(otelqueue.Options{MeterProvider: c}), Backoff: queue.Delays(time.Hour)})
		for event, want := range map[queue.EventType]int64{queue.Started: 6, queue.Done: 3, queue.Retrying: 2, queue.Dead: 1} {
			set := distinct(attribute.NewSet(
				attribute.String("queue", "job_queue"), attribute.String("kind", "image_optimize"), attribute.String("event", string(event)),
			))
			if got := c.jobs[set]; got != want {
				t.Errorf("%d jobs %s were counted, want %d", got, event, want)
			}
			timed := int(want)
			if event == queue.Started {
				timed = 0
			}
			if got := c.timed[set]; got != timed {
				t.Errorf("%d jobs %s were timed, want %d", got, event, timed)
			}
		}
	})
}
