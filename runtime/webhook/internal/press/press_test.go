// Package press_test tests webhooks on every database, with real HTTP.
package press_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
	"github.com/hegner123/modulagen/runtime/webhook"
	"github.com/hegner123/modulagen/runtime/webhook/internal/press/generated"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// onEach runs a test on every database, with a fresh one each.
func onEach(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Parallel()
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "press.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			t.Parallel()
			test(t, &fixture{T: t, dsn: dsn, db: open(t, dsn)})
		})
	}
}

func open(t *testing.T, dsn string) *generated.DB {
	t.Helper()
	db, err := generated.Open(t.Context(), dsn, generated.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// fixture is a database with webhooks.
type fixture struct {
	*testing.T
	dsn string
	db  *generated.DB
}

// must ends the test at an error.
func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

// options deliver to this machine, and try again at once.
func options(t *testing.T) webhook.Options {
	return webhook.Options{
		Egress:  egress.Options{Allow: []string{"127.0.0.1"}, PlainHTTP: true},
		Queue:   queue.Options{Poll: 10 * time.Millisecond, Lease: 5 * time.Second},
		Backoff: func(int) time.Duration { return 0 },
		Logger:  slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// deliver works the queue until the test ends, or until stop.
func (f *fixture) deliver(o webhook.Options) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.Context()))
	done := make(chan error, 1)
	go func() { done <- f.db.Run(ctx, generated.Workers{Webhooks: o}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			f.Error("Run:", err)
		}
	})
	f.Cleanup(stop)
	return stop
}

// a got is a request that arrived.
type got struct {
	method, path string
	header       http.Header
	body         string
}

// endpoint is a receiver of webhooks.
type endpoint struct {
	*httptest.Server
	got chan got
}

// answer decides what an endpoint answers to its n-th request, from 1.
type answer func(w http.ResponseWriter, n int)

func (f *fixture) endpoint(a answer) *endpoint {
	e := &endpoint{got: make(chan got, 10_000)}
	var mu sync.Mutex
	n := 0
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		n++
		at := n
		mu.Unlock()
		if a != nil {
			a(w, at)
		}
		e.got <- got{r.Method, r.URL.String(), r.Header, string(body)}
	}))
	f.Cleanup(e.Close)
	return e
}

func (e *endpoint) next(t *testing.T) got {
	t.Helper()
	select {
	case g := <-e.got:
		return g
	case <-time.After(patience):
		t.Fatal("nothing arrived")
		return got{}
	}
}

// route returns the id of a route.
func (f *fixture) route(slug string) generated.RouteID {
	return must(f.db.Routes.GetBySlug(f.Context(), slug)).ID
}

// hook makes a request for an event of articles.
func (f *fixture) hook(event generated.RouteWebhookTriggerEvent, n generated.FetchRequestNew) *generated.FetchRequest {
	f.Helper()
	r, err := f.db.FetchRequests.Create(f.Context(), n)
	if err != nil {
		f.Fatal(err)
	}
	_, err = f.db.RouteWebhooks.Create(f.Context(), generated.RouteWebhookNew{RouteID: store.Set(f.route("blog")), FetchRequestID: r.ID, TriggerEvent: event})
	if err != nil {
		f.Fatal(err)
	}
	return r
}

func (f *fixture) article(title string) *generated.Article {
	f.Helper()
	a, err := f.db.Article.Create(f.Context(), generated.ArticleNew{Title: title})
	if err != nil {
		f.Fatal(err)
	}
	return a
}

// ended waits for the end of the delivery with an id.
func (f *fixture) ended(id generated.WebhookQueueID) *generated.WebhookQueue {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	row, err := f.db.WebhookQueue.Await(ctx, id)
	if err != nil {
		f.Fatal(err)
	}
	return row
}

// deliveries returns the queue, oldest first.
func (f *fixture) deliveries() []generated.WebhookQueue {
	f.Helper()
	page, err := f.db.WebhookQueue.List(f.Context(), generated.WebhookQueueQuery{Limit: 1000})
	if err != nil {
		f.Fatal(err)
	}
	return page.Items
}

// log returns the attempts of a delivery, oldest first.
func (f *fixture) log(id generated.WebhookQueueID) []generated.WebhookDelivery {
	f.Helper()
	page, err := f.db.WebhookDeliveries.List(f.Context(), generated.WebhookDeliveryQuery{
		Where: generated.WebhookDeliveryFields.DeliveryID.Eq(int64(id)), Limit: 1000,
	})
	if err != nil {
		f.Fatal(err)
	}
	return page.Items
}

func TestPublishedArticleIsDelivered(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		e := f.endpoint(func(w http.ResponseWriter, n int) {
			if n == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		r := f.hook("publish", generated.FetchRequestNew{Name: "crm", URL: e.URL + "/hooks"})
		secret, err := f.db.FetchRequests.RotateSecret(t.Context(), r.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.deliver(options(t))
		a := f.article(`A "quoted" title`)
		if _, err := f.db.Article.Publish(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		first, second := e.next(t), e.next(t)
		for _, g := range []got{first, second} {
			if _, err := webhook.Verify(g.header, []byte(g.body), webhook.VerifyOptions{}, secret); err != nil {
				t.Error(err)
			}
		}
		if first.header.Get("Webhook-Id") != second.header.Get("Webhook-Id") || first.body != second.body {
			t.Errorf("the second attempt is another message: %v, %v", first, second)
		}
		var sent struct {
			ID, Type, Route string
			Timestamp       time.Time
			Data, Previous  map[string]any
		}
		if err := json.Unmarshal([]byte(second.body), &sent); err != nil {
			t.Fatal(err)
		}
		if sent.Type != "article.publish" || sent.Route != "blog" || sent.Data["title"] != a.Title || sent.Data["status"] != "published" || sent.Previous["status"] != "draft" {
			t.Errorf("got %s", second.body)
		}
		list := f.deliveries()
		if len(list) != 1 || list[0].EventID != sent.ID || list[0].ContentDataID.V != fmt.Sprint(a.ID) {
			t.Fatalf("got %+v", list)
		}
		if row := f.ended(list[0].ID); row.Status != "delivered" || row.Attempts != 2 {
			t.Errorf("got %+v", row)
		}
		log := f.log(list[0].ID)
		if len(log) != 2 || log[0].ResponseStatus.V != 503 || log[1].ResponseStatus.V != 200 || log[0].Attempt.V != 1 || log[1].Attempt.V != 2 || log[0].TriggerEvent.V != "publish" {
			t.Errorf("got %+v", log)
		}
		if !strings.Contains(log[0].Error.V, "503") || log[0].RequestBody.V != first.body {
			t.Errorf("got %+v", log[0])
		}
	})
}
