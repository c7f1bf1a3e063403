package engine

import (
	"context"
	"sync"
)

// Companion is what goes on beside a queue and adds jobs to it, such as a schedule.
type Companion struct {
	// Run goes on while the queue is run, until ctx ends. It begins when the queue does, and is
	// waited for when the queue has ended.
	Run func(ctx context.Context)
	// Drain adds the jobs that are due, and returns how many, before the queue is drained.
	Drain func(ctx context.Context) (added int, err error)
}

// Beside returns r with a companion.
func Beside(r Runner, c Companion) Runner { return beside{r, c} }

type beside struct {
	Runner
	companion Companion
}

func (b beside) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { b.companion.Run(ctx) })
	defer running.Wait()
	defer stop() // also where the queue could not begin
	return b.Runner.run(ctx)
}

func (b beside) drain(ctx context.Context) (ran int, err error) {
	if ran, err = b.companion.Drain(ctx); err != nil {
		return ran, err
	}
	n, err := b.Runner.drain(ctx)
	return ran + n, err
}
