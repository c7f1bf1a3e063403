// Package queuetest helps to test code that enqueues jobs, and handlers.
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
//	clock.Advance(time.Hour) // what failed is due again
//	queuetest.Drain(t, db, workers)
//
// Nothing here waits: Drain runs jobs in the test's own goroutine, and time is
// what the test's Clock says.
package queuetest
