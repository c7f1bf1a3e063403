package press_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook"
	"github.com/hegner123/modulagen/runtime/webhook/internal/press/generated"
)

// TestDeliver: what is about no row is signed, tried again and logged as what is, and undone with
// its transaction.
func TestDeliver(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		e := f.endpoint(func(w http.ResponseWriter, n int) {
			if n == 1 {
				w.WriteHeader(503)
			}
		})
		r := must(f.db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "own", URL: e.URL, Ordered: store.Set(true)}))
		secret := must(f.db.FetchRequests.RotateSecret(ctx, r.ID, 0))
		f.deliver(options(t))
		undone := errors.New("undone")
		err := f.db.Tx(ctx, func(tx *generated.Tx) error {
			must(tx.WebhookQueue.Deliver(ctx, r.ID, "undone", nil))
			return undone
		})
		if !errors.Is(err, undone) || len(f.deliveries()) != 0 {
			t.Fatalf("got %v, and %d deliveries", err, len(f.deliveries()))
		}
		before := f.db.Store().Clock()
		id := must(f.db.WebhookQueue.Deliver(ctx, r.ID, "invoice.paid", store.JSON(`{"total": 12.50, "text": "<&>"}`)))
		row := f.ended(id)
		first, second := e.next(t), e.next(t)
		if _, err := webhook.Verify(second.header, []byte(second.body), webhook.VerifyOptions{}, secret); err != nil || first.body != second.body {
			t.Errorf("%v; %s, then %s", err, first.body, second.body)
		}
		var body struct {
			ID, Type, Route string
			Timestamp       time.Time
			Data            json.RawMessage
			Previous        any
		}
		if err := json.Unmarshal([]byte(second.body), &body); err != nil {
			t.Fatal(err)
		}
		if body.Type != "invoice.paid" || body.ID != second.header.Get("Webhook-Id") || body.Route != "" || body.Previous != nil || body.Timestamp.Before(before) {
			t.Errorf("got %s", second.body)
		}
		var data struct {
			Total json.Number
			Text  string
		}
		if err := json.Unmarshal(body.Data, &data); err != nil || data.Total != "12.50" || data.Text != "<&>" {
			t.Errorf("got %s: %v", body.Data, err)
		}
		log := f.log(id)
		if row.Status != "delivered" || row.EventType != "invoice.paid" || row.Attempts != 2 || len(log) != 2 || log[1].TriggerEvent.Valid || log[1].EventID.V != body.ID {
			t.Errorf("got %+v, %+v", row, log)
		}
	})
}

// TestDeliverer finds requests by their names, and refuses what could not be delivered.
func TestDeliverer(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		e := f.endpoint(nil)
		add := func(n generated.FetchRequestNew) {
			if n.URL == "" {
				n.URL = e.URL
			}
			must(f.db.FetchRequests.Create(ctx, n))
		}
		add(generated.FetchRequestNew{Name: "ping"})
		add(generated.FetchRequestNew{Name: "get", Method: store.Set(generated.FetchRequestMethodGet)})
		add(generated.FetchRequestNew{Name: "twice"})
		add(generated.FetchRequestNew{Name: "twice"})
		add(generated.FetchRequestNew{Name: "off", Active: store.Set(false)})
		add(generated.FetchRequestNew{Name: "switched off", Active: store.Set(false), DisabledReason: store.Set("it is gone")})
		add(generated.FetchRequestNew{Name: "template", BodyTemplate: store.Set("{}")})
		add(generated.FetchRequestNew{Name: "text", Headers: store.Set(store.JSON(`{"Content-Type": "text/plain"}`))})
		send := func(name, data string) error {
			_, err := f.db.WebhookQueue.DeliverTo(ctx, name, "cron", store.JSON(data))
			return err
		}
		f.deliver(options(t))
		if err := send("ping", ""); err != nil {
			t.Fatal(err)
		}
		if g := e.next(t); !strings.Contains(g.body, `"type":"cron"`) || !strings.HasSuffix(g.body, `"data":{}}`) {
			t.Errorf("got %s", g.body)
		}
		if err := send("get", `{"a": 1}`); err != nil {
			t.Fatal(err)
		}
		if g := e.next(t); g.method != "GET" || g.body != "" {
			t.Errorf("got %s %s", g.method, g.body)
		}
		for _, c := range []struct {
			name, data, want string
			is               error
		}{
			{"pong", "", `webhook: no row of fetch_requests is named "pong": not found`, store.ErrNotFound},
			{"twice", "", `several rows of fetch_requests are named "twice"`, store.ErrInvalid},
			{"off", "", "the request is not active", store.ErrInvalid},
			{"switched off", "", "the request is switched off: it is gone", store.ErrInvalid},
			{"template", "", "the request has a template in body_template", store.ErrInvalid},
			{"text", "", "the Content-Type is text/plain, and the body is JSON", store.ErrInvalid},
			{"ping", "{", "the data is not valid JSON", store.ErrInvalid},
			{"ping", `"` + strings.Repeat("a", 1<<20) + `"`, "bytes, and 1048576 are permitted", store.ErrInvalid},
		} {
			if err := send(c.name, c.data); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v; want %s", c.name, err, c.want)
			}
		}
		if _, err := f.db.WebhookQueue.Deliver(ctx, 4711, "cron", nil); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		for _, name := range []string{"", "a b", "a.", ".a", strings.Repeat("a", 101)} {
			if _, err := f.db.WebhookQueue.Deliver(ctx, 1, name, nil); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("the type %q: got %v", name, err)
			}
		}
		if n := len(f.deliveries()); n != 2 {
			t.Errorf("%d deliveries", n)
		}
	})
}
