package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/bench/webhook/generated"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook"
)

const (
	workers   = 32
	endpoints = 8 // the built-in queue makes eight requests at once to each
)

var deliverTarget = measure.Target(0.7)

// options deliver to this machine.
func options() webhook.Options {
	return webhook.Options{
		Egress: egress.Options{Allow: []string{"127.0.0.1"}, MaxConnsPerHost: workers, MaxIdlePerHost: workers},
		Queue:  queue.Options{Concurrency: workers},
	}
}

// receiver is a server that counts requests.
type receiver struct {
	*httptest.Server
	count atomic.Int64
	on    func(r *http.Request, body []byte)
}

func newReceiver(on func(r *http.Request, body []byte)) *receiver {
	s := &receiver{on: on}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.count.Add(1)
		if s.on != nil {
			s.on(r, body)
		}
	}))
	return s
}

// deliveries compares the delivery of what waits with a loop that sends the same bodies to
// the same server, as many at once, and writes a row for each, several at a time.
func (t *trial) deliveries(ctx context.Context) error {
	server := newReceiver(nil)
	defer server.Close()
	for i := range endpoints {
		id, err := t.hook(ctx, "paced", generated.FetchRequestNew{Name: fmt.Sprint("endpoint ", i), URL: server.URL + "/" + strconv.Itoa(i)})
		if err != nil {
			return err
		}
		if _, err := t.db.FetchRequests.RotateSecret(ctx, id, 0); err != nil {
			return err
		}
	}
	rounds := (t.rounds + 1) / 2
	ours, peer, err := measure.Alternate(measure.Rounds{Ours: rounds, Peer: rounds},
		func() (float64, error) { return t.ours(ctx, server) }, func() (float64, error) { return t.bare(ctx, server) })
	if err != nil {
		return err
	}
	t.report.Add(measure.CompareRates(suite, fmt.Sprintf("deliveries, %d at once", workers), t.kind, "1/s", "http.Client, batched rows", ours, peer, deliverTarget))
	return t.clear(ctx)
}

// ours fills the queue, and then delivers what is in it.
func (t *trial) ours(ctx context.Context, server *receiver) (float64, error) {
	rows := make([]generated.PacedNew, t.sends/endpoints)
	for i := range rows {
		rows[i] = generated.PacedNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)}
	}
	if _, err := t.db.Paced.CreateMany(ctx, rows); err != nil {
		return 0, err
	}
	want := server.count.Load() + int64(t.sends)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	start := time.Now()
	go func() { done <- t.db.Run(ctx, generated.Workers{Webhooks: options()}) }()
	for server.count.Load() < want {
		select {
		case err := <-done:
			return 0, errors.Join(err, errors.New("the worker ended"))
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	err := <-done // every end is written by then
	return float64(t.sends) / time.Since(start).Seconds(), err
}

// bare sends as much with a kept-alive http.Client.
func (t *trial) bare(ctx context.Context, server *receiver) (float64, error) {
	request, err := t.db.FetchRequests.First(ctx, generated.FetchRequestQuery{})
	if err != nil {
		return 0, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	payload := []byte(`{"title":"A title","body":"` + body + strings.Repeat("x", 200) + `"}`)
	logged := make(chan generated.WebhookDeliveryNew, workers)
	failures := make(chan error, workers+1)
	start := time.Now()
	var sending, writing sync.WaitGroup
	writing.Go(func() { failures <- t.write(ctx, logged) })
	for range workers {
		sending.Go(func() {
			for range t.sends / workers {
				row := generated.WebhookDeliveryNew{FetchRequestID: request.ID, RequestBody: store.Set(string(payload)), DeliveredAt: store.Set(time.Now())}
				res, err := client.Post(server.URL, "application/json", bytes.NewReader(payload))
				if err != nil {
					failures <- err
					return
				}
				text, err := io.ReadAll(res.Body)
				if err = errors.Join(err, res.Body.Close()); err != nil {
					failures <- err
					return
				}
				row.ResponseStatus, row.ResponseBody = store.Int(int64(res.StatusCode)), store.Set(string(text))
				logged <- row
			}
		})
	}
	sending.Wait()
	close(logged)
	writing.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return 0, err
		}
	}
	return float64(t.sends) / time.Since(start).Seconds(), nil
}

// write writes rows, those that have arrived by then together.
func (t *trial) write(ctx context.Context, logged <-chan generated.WebhookDeliveryNew) error {
	for row := range logged {
		batch := []generated.WebhookDeliveryNew{row}
		for more := true; more && len(batch) < 200; {
			select {
			case next, ok := <-logged:
				if more = ok; ok {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		if _, err := t.db.WebhookDeliveries.CreateMany(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// latency measures from the commit to the request at the receiver, a hundred events a second.
func (t *trial) latency(ctx context.Context) error {
	arrived := make(chan time.Time, 1024)
	server := newReceiver(func(*http.Request, []byte) { arrived <- time.Now() })
	defer server.Close()
	if _, err := t.hook(ctx, "paced", generated.FetchRequestNew{Name: "soon", URL: server.URL}); err != nil {
		return err
	}
	stop := t.begin(ctx)
	var waits []time.Duration
	for range t.calls {
		if _, err := t.db.Paced.Create(ctx, generated.PacedNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)}); err != nil {
			return errors.Join(err, stop())
		}
		committed := time.Now()
		waits = append(waits, max(0, (<-arrived).Sub(committed)))
		time.Sleep(10 * time.Millisecond) // 100 events a second
	}
	t.report.Note("webhook: %s: from the commit to the request, 100 events a second: p50 %s, p99 %s (asked: 20ms)", t.kind, at(waits, 0.5), at(waits, 0.99))
	return errors.Join(stop(), t.clear(ctx))
}

// begin delivers until the function that it returns is called.
func (t *trial) begin(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- t.db.Run(ctx, generated.Workers{Webhooks: options()}) }()
	return func() error {
		cancel()
		return <-done
	}
}

func at(waits []time.Duration, p float64) time.Duration {
	sorted := slices.Sorted(slices.Values(waits))
	return sorted[int(p*float64(len(sorted)-1))].Round(100 * time.Microsecond)
}

// hanging measures the same with fifty endpoints, of which none or one never answers.
func (t *trial) hanging(ctx context.Context) error {
	var p99 [2]time.Duration
	for i := range p99 {
		var err error
		if p99[i], err = t.among(ctx, i == 1); err != nil {
			return err
		}
	}
	t.report.Add(measure.Compare(suite, "p99 of 49 endpoints, another hangs", t.kind, "ms", "none hangs",
		float64(p99[1].Microseconds())/1e3, float64(p99[0].Microseconds())/1e3, measure.Target(1/1.5)))
	return nil
}

func (t *trial) among(ctx context.Context, hangs bool) (time.Duration, error) {
	const all = 50
	release := make(chan struct{})
	var mu sync.Mutex
	var began time.Time
	var waits []time.Duration
	arrived := make(chan struct{}, 1<<16)
	server := newReceiver(func(r *http.Request, _ []byte) {
		if r.URL.Path == "/0" {
			if hangs {
				<-release
			}
			return
		}
		mu.Lock()
		waits = append(waits, time.Since(began))
		mu.Unlock()
		arrived <- struct{}{}
	})
	defer server.Close()
	defer close(release)
	for i := range all {
		if _, err := t.hook(ctx, "paced", generated.FetchRequestNew{Name: fmt.Sprint(i), URL: server.URL + "/" + strconv.Itoa(i), Timeout: store.Int(10)}); err != nil {
			return 0, err
		}
	}
	stop := t.begin(ctx)
	for range 100 {
		mu.Lock()
		began = time.Now()
		mu.Unlock()
		if _, err := t.db.Paced.Create(ctx, generated.PacedNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)}); err != nil {
			return 0, errors.Join(err, stop())
		}
		for range all - 1 {
			<-arrived
		}
	}
	p := at(waits, 0.99)
	return p, errors.Join(t.clear(ctx), stop())
}
