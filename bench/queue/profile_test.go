package queue

import (
	"context"
	"testing"
)

// Each side alone, for a profile:
//
//	go test -run - -bench 'BurnDown/sqlite/ours' -cpuprofile cpu.prof ./queue
//
// PostgreSQL and MySQL need scripts/services.sh before the command.
func BenchmarkBurnDown(b *testing.B) {
	eachSide(b, func(ctx context.Context, tr *trial, s side) (float64, error) { return burnDown(ctx, s, tr.jobs) })
}

func BenchmarkEnqueue(b *testing.B) {
	eachSide(b, func(ctx context.Context, tr *trial, s side) (float64, error) {
		return enqueueRate(ctx, s, tr.enqueueFrom, tr.enqueueing)
	})
}

// eachSide returns jobs a second; what testing itself prints is the time of a
// sample with all that surrounds it.
func eachSide(b *testing.B, sample func(ctx context.Context, tr *trial, s side) (float64, error)) {
	tr := small(b)
	tr.sizes = fullSizes()
	for _, o := range openers {
		b.Run(o.db+"/"+o.name, func(b *testing.B) {
			if tr.hosts[o.db] == nil {
				b.Skipf("no %s; scripts/services.sh --redis gives one", o.db)
			}
			var sum float64
			for range b.N {
				err := tr.on(b.Context(), o, false, func(ctx context.Context, s side, _ place) error {
					rate, err := sample(ctx, tr, s)
					sum += rate
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(sum/float64(b.N), "jobs/s")
		})
	}
}
