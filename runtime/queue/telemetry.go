package queue

import (
	"context"
	"time"
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
