package queue

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/hegner123/modulagen/runtime/queue/internal/force"
)

// UntilSignal returns a context that ends with the first SIGINT or SIGTERM, so that
// Run stops gracefully. On the second signal Run returns at once; jobs that were
// running run again when their leases expire. stop restores the default handling
// of the signals.
//
//	ctx, stop := queue.UntilSignal(context.Background())
//	defer stop()
//	err := db.Run(ctx, workers)
func UntilSignal(ctx context.Context) (_ context.Context, stop func()) {
	asked := make(chan struct{})
	ctx, cancel := context.WithCancel(force.With(ctx, asked))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	over := make(chan struct{})
	go func() {
		select {
		case <-signals:
			cancel()
		case <-over:
			return
		}
		select {
		case <-signals:
			close(asked)
		case <-over:
		}
	}()
	var once sync.Once
	return ctx, func() {
		once.Do(func() {
			signal.Stop(signals)
			close(over)
			cancel()
		})
	}
}
