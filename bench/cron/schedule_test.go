package cron

import (
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

// All sides find the same instants, or the figures would compare different things. Instants near to
// changes of clocks are left out: there each has a policy of its own.
func TestSidesAgree(t *testing.T) {
	for _, e := range expressions {
		loc, err := schedule.Location(e.zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append([]peer{{"ours", ours}}, peers...) {
			n, err := p.parse(e.expr, e.seconds, loc)
			if err != nil {
				t.Fatalf("%s: %v", p.name, err)
			}
			want, err := ours(e.expr, e.seconds, loc)
			if err != nil {
				t.Fatal(err)
			}
			for _, after := range instants(50) {
				if got, want := n(after), want(after); !got.Equal(want) {
					t.Errorf("%s: %s after %v: got %v, ours is %v", p.name, e.expr, after, got, want)
				}
			}
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, e := range expressions {
		loc, err := schedule.Location(e.zone)
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range append([]peer{{"ours", ours}}, peers...) {
			b.Run(p.name+"/"+e.expr+" "+e.zone, func(b *testing.B) {
				n, err := p.parse(e.expr, e.seconds, loc)
				if err != nil {
					b.Fatal(err)
				}
				at := instants(1000)
				b.ReportAllocs()
				var last time.Time
				for i := 0; b.Loop(); i++ {
					last = n(at[i%len(at)])
				}
				_ = last
			})
		}
	}
}
