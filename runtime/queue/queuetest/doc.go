// Package queuetest helps to test handlers and code that enqueues jobs.
//
//	clock := queuetest.NewClock(time.Time{})
//	db, err := generated.Open(ctx, dsn, generated.Options{Now: clock.Now})
//	workers := generated.Workers{JobQueue: handlers}
//
//	upload(ctx, db, "cat.png")
//	jobs := queuetest.Enqueued[generated.ImageOptimize](t, db, workers)
//	// ... look at the payloads
//
//	queuetest.Drain(t, db, workers)
//	clock.Advance(time.Hour) // retries are due now
//	queuetest.Drain(t, db, workers)
//
// Nothing here waits: Drain runs jobs in the test's own goroutine, and the test moves
// the Clock.
package queuetest
