package press_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook"
	"github.com/hegner123/modulagen/runtime/webhook/internal/press/generated"
)

// TestChangedSinceTheEvent: a delivery goes by its request as it is by now, and by what was
// frozen of what is still a template.
func TestChangedSinceTheEvent(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		e := f.endpoint(nil)
		headers := func(s string) store.Opt[store.JSON] { return store.Set(store.JSON(s)) }
		hook := func(n generated.FetchRequestNew) generated.FetchRequestID {
			n.Name, n.URL = "changed", e.URL+n.URL
			return f.hook("create", n).ID
		}
		get := hook(generated.FetchRequestNew{})
		secret := must(f.db.FetchRequests.RotateSecret(ctx, get, 0))
		written := hook(generated.FetchRequestNew{URL: "/old/{{.ID}}", Headers: headers(`{"X-Old": "{{.ID}}", "X-Kept": "kept {{.Title}}", "X-Gone": "{{.ID}}"}`)})
		template := hook(generated.FetchRequestNew{URL: "/plain"})
		broken := hook(generated.FetchRequestNew{URL: "/broken"})
		timeout := hook(generated.FetchRequestNew{URL: "/timeout"})
		f.article("one")
		for id, p := range map[generated.FetchRequestID]generated.FetchRequestPatch{
			get:      {Method: store.Set(generated.FetchRequestMethodGet)},
			written:  {URL: store.Set(e.URL + "/new"), Headers: headers(`{"X-Old": "written out", "X-Kept": "new {{.Title}}", "X-New": "{{.ID}}"}`)},
			template: {URL: store.Set(e.URL + "/template/{{.ID}}")},
		} {
			must(f.db.FetchRequests.Update(ctx, id, p))
		}
		f.exec(fmt.Sprint(`UPDATE fetch_requests SET headers = '{"a b": 1}' WHERE id = `, broken))
		f.exec(fmt.Sprint(`UPDATE fetch_requests SET timeout = 0 WHERE id = `, timeout))
		f.db = open(t, f.dsn) // another process
		f.deliver(options(t))
		for id, want := range map[generated.FetchRequestID]string{get: "", written: "", template: "become a template", broken: "headers", timeout: "timeout"} {
			row := f.ended(f.only(id).ID)
			if (row.Status == "delivered") != (want == "") || !strings.Contains(row.Error.V, want) {
				t.Errorf("got %+v; want %q", row, want)
			}
		}
		for range 2 {
			switch g := e.next(t); {
			case g.method == "GET":
				if _, err := webhook.Verify(g.header, nil, webhook.VerifyOptions{}, secret); g.body != "" || err != nil {
					t.Errorf("a GET has the body %q: %v", g.body, err)
				}
			case g.path != "/new" || g.header.Get("X-Old") != "written out" || g.header.Get("X-Kept") != "kept one" || g.header.Get("X-Gone") != "" || g.header.Get("X-New") != "":
				t.Errorf("got %+v", g)
			}
		}
	})
}

// TestSwitchedOffWhileChanged: an attempt that went to an address that the request no longer has
// does not switch it off.
func TestSwitchedOffWhileChanged(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		for _, code := range []int{http.StatusGone, http.StatusInternalServerError} {
			id := make(chan generated.FetchRequestID, 1)
			e := f.endpoint(func(w http.ResponseWriter, _ int) {
				if _, err := f.db.FetchRequests.Update(ctx, <-id, generated.FetchRequestPatch{URL: store.Set(example), FailingSince: store.SetNull[time.Time]()}); err != nil {
					t.Error(err)
				}
				w.WriteHeader(code)
			})
			r := f.hook("create", generated.FetchRequestNew{Name: "moved", URL: e.URL, RetryCount: store.Int(0)})
			must(f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{FailingSince: store.Set(time.Now().Add(-6 * 24 * time.Hour))}))
			id <- r.ID
			stop := f.deliver(options(t))
			f.article("one")
			f.ended(f.only(r.ID).ID)
			stop()
			if now := f.request(r.ID); !now.Active || now.DisabledReason.Valid {
				t.Errorf("%d: got %+v", code, now)
			}
			if err := f.db.FetchRequests.Delete(ctx, r.ID); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestAtOnce: requests, links and secrets change while rows are written and delivered. Nothing
// is lost of what was queued, and nothing waits for ever.
func TestAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		e := f.endpoint(nil)
		r := f.hook("create", generated.FetchRequestNew{Name: "at once", URL: e.URL})
		f.deliver(options(t))
		other := open(t, f.dsn)
		keys := make(chan webhook.Verifier, 100)
		together(t,
			func(i int) error {
				_, err := f.db.Article.Create(ctx, generated.ArticleNew{Title: fmt.Sprint(i)})
				return err
			},
			func(i int) error {
				return other.Tx(ctx, func(tx *generated.Tx) error {
					a, err := tx.Article.Create(ctx, generated.ArticleNew{Title: fmt.Sprint("b", i)})
					if err == nil {
						err = tx.Article.Delete(ctx, a.ID)
					}
					return err
				})
			},
			func(int) error {
				s, err := other.FetchRequests.RotateSecret(ctx, r.ID, 1<<40)
				keys <- s
				return err
			},
			func(int) error {
				s, err := f.db.FetchRequests.RotateSecret(ctx, r.ID, 1<<40)
				keys <- s
				return err
			},
			func(i int) error {
				_, err := other.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{Timeout: store.Int(int64(20 + i))})
				return err
			},
			func(int) error {
				_, err := f.db.WebhookQueue.Redeliver(ctx, generated.WebhookQueueFields.Status.Eq("delivered"))
				return err
			},
		)
		close(keys)
		for _, d := range f.deliveries() {
			if row := f.ended(d.ID); row.Status != "delivered" {
				t.Errorf("got %+v", row)
			}
		}
		if n := len(f.deliveries()); n != 16 {
			t.Errorf("%d deliveries; want 16", n)
		}
		for len(e.got) > 0 {
			<-e.got
		}
		must(f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{Timeout: store.Int(30)})) // has this process see the others' keys at once
		f.article("signed by all")
		g := e.next(t)
		for k := range keys {
			if _, err := webhook.Verify(g.header, []byte(g.body), webhook.VerifyOptions{}, k); err != nil {
				t.Errorf("a rotation that ran beside another lost a key: %v", err)
			}
		}
	})
}

// together calls each of the functions eight times, beside the others.
func together(t *testing.T, list ...func(i int) error) {
	t.Helper()
	done := make(chan error)
	for n, fn := range list {
		go func() {
			for i := range 8 { // rotations of two make as many keys as a request takes
				if err := fn(i); err != nil {
					done <- fmt.Errorf("%d: %w", n, err)
					return
				}
			}
			done <- nil
		}()
	}
	for range list {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestOrderKeepsTheSchedule: a delivery that has failed waits for its next attempt, also when an
// earlier one of the same row is delivered meanwhile.
func TestOrderKeepsTheSchedule(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		e := f.endpoint(func(w http.ResponseWriter, n int) {
			if n == 2 {
				w.WriteHeader(503)
			}
		})
		f.hook("update", generated.FetchRequestNew{Name: "ordered", URL: e.URL, Ordered: store.Set(true)})
		a := f.article("one")
		for i := range 2 {
			must(f.db.Article.Update(t.Context(), a.ID, generated.ArticlePatch{Stars: store.Int(int64(5 + i))}))
		}
		o := options(t)
		o.Backoff = func(int) time.Duration { return time.Hour }
		f.deliver(o)
		list := f.deliveries()
		f.ended(list[0].ID)
		waits := func(d *generated.WebhookQueue) bool { return d.Status == "pending" && d.Attempts == 1 }
		f.until(list[1].ID, waits)
		if err := f.db.WebhookQueue.Retry(t.Context(), list[0].ID); err != nil {
			t.Fatal(err)
		}
		f.ended(list[0].ID)
		for range 3 {
			e.next(t)
		}
		if row := must(f.db.WebhookQueue.Get(t.Context(), list[1].ID)); !waits(row) || time.Until(row.NextAttempt.V) < 30*time.Minute {
			t.Errorf("got %+v", row)
		}
	})
}
