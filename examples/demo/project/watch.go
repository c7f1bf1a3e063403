package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"

	"shop/generated"
)

// tally counts what the workers told of.
type tally struct {
	events map[queue.EventType]int
	missed int
}

// ended is how many jobs have ended, well or not.
func (t *tally) ended() int { return t.events[queue.Done] + t.events[queue.Dead] }

// watch counts the workers' events and shows how far they are, until ctx ends;
// then seen gives the counts.
func watch(ctx context.Context, db *generated.DB, jobs jobs) (seen func() *tally) {
	t := &tally{events: map[queue.EventType]int{}}
	events := db.JobQueue.Events(ctx) // from here on none is missed
	told := make(chan generated.JobQueueEvent)
	go func() {
		defer close(told)
		for ev := range events {
			told <- ev
		}
	}()
	over := make(chan struct{})
	go func() {
		defer close(over)
		p := progress{db: db, list: jobs.list, jobs: len(jobs.images) + 2, terminal: isTerminal(os.Stdout)}
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case ev, more := <-told:
				if !more {
					p.end(t)
					return
				}
				t.events[ev.Type]++
				t.missed += ev.Missed
			case <-tick.C:
				p.show(ctx, t)
			}
		}
	}()
	return func() *tally {
		<-over
		return t
	}
}

// progress is the line that says how far the jobs are.
type progress struct {
	db       *generated.DB
	list     generated.JobQueueID // the import, which says of itself how far it is
	jobs     int
	terminal bool
	last     string
}

func (p *progress) show(ctx context.Context, t *tally) {
	line := fmt.Sprintf("jobs %d of %d, failures %d", t.ended(), p.jobs, t.events[queue.Retrying]+t.events[queue.Dead])
	if job, err := p.db.JobQueue.Get(ctx, p.list); err == nil && job.QueueNote.Valid {
		line += fmt.Sprintf("; import %s %%: %s", job.QueueProgress.V.Shift(2).StringFixed(0), job.QueueNote.V)
	}
	if line == p.last {
		return
	}
	p.last = line
	if p.terminal {
		fmt.Printf("\r%-70s", line)
		return
	}
	fmt.Println(line)
}

func (p *progress) end(t *tally) {
	p.show(context.Background(), t)
	if p.terminal {
		fmt.Println()
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
