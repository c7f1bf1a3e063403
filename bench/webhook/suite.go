package webhook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/bench/webhook/generated"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"    // mysql://
	_ "github.com/hegner123/modulagen/runtime/store/postgres" // postgres://
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"   // sqlite:
)

//go:generate go run github.com/hegner123/modulagen/cmd/modulagen generate

const suite = "webhook"

// What is asked of a write: this much of the time of one without events.
var (
	quietTarget = measure.Target(1 / 1.05)
	firedTarget = measure.Target(1 / 1.6)
)

// trial is the suite on one database.
type trial struct {
	db     *generated.DB
	kind   string
	report *measure.Report
	rounds int
	calls  int // writes in a sample
	sends  int // deliveries in a sample
	n      int // rows so far: no slug comes twice
}

// Run measures every database that there is.
func Run(ctx context.Context, _ string, report *measure.Report) error {
	dir, err := os.MkdirTemp("", "bench-webhook-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	report.Note("webhook: Svix's server and Convoy are not measured: neither can be had from the registries that the benchmark uses")
	for _, place := range []struct{ kind, dsn string }{
		{"sqlite", "sqlite:" + filepath.Join(dir, "webhook.db")},
		{"postgres", os.Getenv("MODULAGEN_POSTGRES_DSN")},
		{"mysql", os.Getenv("MODULAGEN_MYSQL_DSN")},
	} {
		if place.dsn == "" {
			report.Note("webhook: no %s: its figures are missing", place.kind)
			continue
		}
		t := &trial{kind: place.kind, report: report, rounds: 9, calls: 1000, sends: 8000, n: int(time.Now().Unix() % 1e6 * 1e6)}
		if os.Getenv("BENCH_QUICK") != "" {
			t.rounds, t.calls, t.sends = 3, 200, 1000
		}
		if err := t.run(ctx, place.dsn); err != nil {
			return fmt.Errorf("%s: %w", place.kind, err)
		}
	}
	return nil
}

func (t *trial) run(ctx context.Context, dsn string) (err error) {
	if t.db, err = generated.Open(ctx, dsn, generated.Options{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.db.Close()) }()
	for _, part := range []func(context.Context) error{t.writes, t.deliveries, t.latency, t.hanging} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) slug() string {
	t.n++
	return fmt.Sprint("s", t.n)
}

var body = strings.Repeat("Some words of a text that is long enough to matter. ", 10)

// hook has a request made when something is created on a route.
func (t *trial) hook(ctx context.Context, route string, n generated.FetchRequestNew) (generated.FetchRequestID, error) {
	r, err := t.db.FetchRequests.Create(ctx, n)
	if err != nil {
		return 0, err
	}
	to, err := t.db.Routes.GetBySlug(ctx, route)
	if err != nil {
		return 0, err
	}
	_, err = t.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{RouteID: store.Set(to.ID), FetchRequestID: r.ID, TriggerEvent: "create"})
	return r.ID, err
}

// clear removes the requests, and with them what was to be delivered.
func (t *trial) clear(ctx context.Context) error {
	_, err := t.db.FetchRequests.DeleteWhere(ctx, store.Everything[generated.FetchRequestID]())
	return err
}

// timed is a sample: microseconds for one call.
func timed(calls int, call func() error) measure.Sample {
	return func() (float64, error) {
		start := time.Now()
		for range calls {
			if err := call(); err != nil {
				return 0, err
			}
		}
		return float64(time.Since(start).Microseconds()) / float64(calls), nil
	}
}

// writes compares what a write costs with and without webhooks. Nothing delivers meanwhile.
func (t *trial) writes(ctx context.Context) error {
	if _, err := t.hook(ctx, "fired", generated.FetchRequestNew{Name: "one", URL: "https://hooks.example.com/"}); err != nil {
		return err
	}
	plain := func() error {
		_, err := t.db.Plain.Create(ctx, generated.PlainNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)})
		return err
	}
	quiet := func() error {
		_, err := t.db.Quiet.Create(ctx, generated.QuietNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)})
		return err
	}
	fired := func() error {
		_, err := t.db.Fired.Create(ctx, generated.FiredNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)})
		return err
	}
	all, err := measure.Rotate(t.rounds, timed(t.calls, plain), timed(t.calls, quiet), timed(t.calls, fired))
	if err != nil {
		return err
	}
	t.report.Add(measure.Compare(suite, "create, events and no webhook", t.kind, "µs", "no events", all[1], all[0], quietTarget))
	t.report.Add(measure.Compare(suite, "create, with one webhook", t.kind, "µs", "no events", all[2], all[0], firedTarget))
	plainMany := func() error {
		return many(ctx, t.db.Plain.CreateMany, func() generated.PlainNew {
			return generated.PlainNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)}
		})
	}
	firedMany := func() error {
		return many(ctx, t.db.Fired.CreateMany, func() generated.FiredNew {
			return generated.FiredNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)}
		})
	}
	all, err = measure.Rotate(t.rounds, timed(3, plainMany), timed(3, firedMany))
	if err != nil {
		return err
	}
	t.report.Add(measure.CompareRates(suite, "create many (1000), with one webhook", t.kind, "rows/s", "no events", 1e9/all[1], 1e9/all[0], nil))
	return t.clear(ctx)
}

func many[N, ID any](ctx context.Context, create func(context.Context, []N) ([]ID, error), row func() N) error {
	rows := make([]N, 1000)
	for i := range rows {
		rows[i] = row()
	}
	_, err := create(ctx, rows)
	return err
}
