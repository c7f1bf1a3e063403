package press_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook"
	"github.com/hegner123/modulagen/runtime/webhook/internal/press/generated"
)

func status(code int) answer {
	return func(w http.ResponseWriter, _ int) { w.WriteHeader(code) }
}

// request returns the row of a request as it is by now.
func (f *fixture) request(id generated.FetchRequestID) *generated.FetchRequest {
	f.Helper()
	return must(f.db.FetchRequests.Get(f.Context(), id))
}

// only returns the one delivery to a request.
func (f *fixture) only(id generated.FetchRequestID) *generated.WebhookQueue {
	f.Helper()
	return must(f.db.WebhookQueue.First(f.Context(), generated.WebhookQueueQuery{Where: generated.WebhookQueueFields.FetchRequestID.Eq(id)}))
}

// TestAnswers: what is tried again, what is final, and what the row says then.
func TestAnswers(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		type want struct {
			status   generated.WebhookQueueStatus
			attempts int64
			reason   string // on the delivery
		}
		cases := []struct {
			name string
			answer
			want
		}{
			{"200", status(200), want{"delivered", 1, ""}},
			{"204", status(204), want{"delivered", 1, ""}},
			{"503 once", func(w http.ResponseWriter, n int) {
				if n == 1 {
					w.WriteHeader(503)
				}
			}, want{"delivered", 2, ""}},
			{"500 for ever", status(500), want{"failed", 3, "500"}},
			{"408", status(408), want{"failed", 3, "408"}},
			{"404", status(404), want{"failed", 1, "404"}},
			{"a redirect", func(w http.ResponseWriter, _ int) {
				w.Header().Set("Location", "http://169.254.169.254/latest/meta-data")
				w.WriteHeader(302)
			}, want{"failed", 1, "302"}},
			{"429 with the time of day", func(w http.ResponseWriter, n int) {
				if n == 1 {
					w.Header().Set("Retry-After", "0")
					w.WriteHeader(429)
				}
			}, want{"delivered", 2, ""}},
			{"a reset", func(w http.ResponseWriter, n int) {
				if n == 1 {
					panic(http.ErrAbortHandler)
				}
			}, want{"delivered", 2, ""}},
		}
		ids := make([]generated.FetchRequestID, len(cases))
		for i, c := range cases {
			e := f.endpoint(c.answer)
			ids[i] = f.hook("create", generated.FetchRequestNew{Name: c.name, URL: e.URL, RetryCount: store.Int(2)}).ID
		}
		f.deliver(options(t))
		f.article("one")
		for i, c := range cases {
			row := f.ended(f.only(ids[i]).ID)
			if row.Status != c.status || row.Attempts != c.attempts || !strings.Contains(row.Error.V, c.reason) {
				t.Errorf("%s: %s after %d attempts, %q; want %+v", c.name, row.Status, row.Attempts, row.Error.V, c.want)
			}
			if n := len(f.log(row.ID)); n != int(c.attempts) {
				t.Errorf("%s: %d rows in the log; want %d", c.name, n, c.attempts)
			}
		}
	})
}

// TestRefusedAddress: the guard refuses what is not permitted, at once and for good.
func TestRefusedAddress(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.hook("create", generated.FetchRequestNew{Name: "inside", URL: "https://localhost/", RetryCount: store.Int(5)})
		f.deliver(webhook.Options{})
		f.article("one")
		row := f.ended(f.only(r.ID).ID)
		if log := f.log(row.ID); row.Status != "failed" || row.Attempts != 1 || !strings.Contains(row.Error.V, "refused") || len(log) != 1 || log[0].ResponseStatus.Valid {
			t.Errorf("got %+v, %+v", row, log)
		}
	})
}

func TestGone(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		e := f.endpoint(status(http.StatusGone))
		r := f.hook("create", generated.FetchRequestNew{Name: "gone", URL: e.URL})
		f.deliver(options(t))
		f.article("one")
		row := f.ended(f.only(r.ID).ID)
		if now := f.request(r.ID); row.Status != "failed" || row.Attempts != 1 || now.Active || !strings.Contains(now.DisabledReason.V, "410") {
			t.Errorf("got %+v and %+v", row, now)
		}
		f.article("two")
		if n := len(f.deliveries()); n != 1 {
			t.Errorf("%d deliveries; want none after the first", n)
		}
	})
}

// TestSwitchedOff: a request that only fails for some time is switched off, and what waits for
// it says so; one success in between begins anew.
func TestSwitchedOff(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		down := make(chan bool, 1)
		down <- true
		e := f.endpoint(func(w http.ResponseWriter, _ int) {
			is := <-down
			down <- is
			if is {
				w.WriteHeader(500)
			}
		})
		r := f.hook("create", generated.FetchRequestNew{Name: "down", URL: e.URL, RetryCount: store.Int(0)})
		f.deliver(options(t))
		fail := func(title string) *generated.WebhookQueue {
			t.Helper()
			f.article(title)
			list := f.deliveries()
			return f.ended(list[len(list)-1].ID)
		}
		fail("one")
		since := f.request(r.ID).FailingSince
		if !since.Valid {
			t.Fatal("failing_since is not set")
		}
		fail("two")
		if now := f.request(r.ID); now.FailingSince != since || !now.Active {
			t.Errorf("got %+v; want failing since %v", now, since)
		}
		<-down
		down <- false
		fail("three")
		if now := f.request(r.ID); now.FailingSince.Valid {
			t.Errorf("failing since %v after a success", now.FailingSince.V)
		}
		<-down
		down <- true
		must(f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{FailingSince: store.Set(time.Now().Add(-6 * 24 * time.Hour))}))
		fail("four")
		if now := f.request(r.ID); now.Active || !strings.Contains(now.DisabledReason.V, "every attempt since") {
			t.Errorf("got %+v", now)
		}
		// what was written for it before fails with the reason, and is delivered when it is on again
		old := f.deliveries()[0].ID
		if err := f.db.WebhookQueue.Retry(ctx, old); err != nil {
			t.Fatal(err)
		}
		if row := f.ended(old); row.Status != "failed" || !strings.Contains(row.Error.V, "switched off") {
			t.Errorf("got %+v", row)
		}
		<-down
		down <- false
		must(f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{Active: store.Set(true), FailingSince: store.SetNull[time.Time](), DisabledReason: store.SetNull[string]()}))
		n, err := f.db.WebhookQueue.Redeliver(ctx, generated.WebhookQueueFields.Status.Eq("failed"))
		if err != nil || n != 3 {
			t.Fatalf("redelivered %d, %v; want 3", n, err)
		}
		for _, d := range f.deliveries() {
			if row := f.ended(d.ID); row.Status != "delivered" {
				t.Errorf("got %+v", row)
			}
		}
	})
}

// TestRetryAfter: the greater of what is asked and the schedule, within a bound.
func TestRetryAfter(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		asked := map[string]string{"a year": "31536000", "ten seconds": "10", "nonsense": "soon", "the past": "Mon, 02 Jan 2006 15:04:05 GMT"}
		for name, value := range asked {
			e := f.endpoint(func(w http.ResponseWriter, _ int) {
				w.Header().Set("Retry-After", value)
				w.WriteHeader(429)
			})
			f.hook("create", generated.FetchRequestNew{Name: name, URL: e.URL})
		}
		o := options(t)
		o.Backoff = func(int) time.Duration { return time.Minute }
		o.MaxRetryAfter = time.Hour
		f.deliver(o)
		f.article("one")
		want := map[string]time.Duration{"a year": time.Hour, "ten seconds": time.Minute, "nonsense": time.Minute, "the past": time.Minute}
		for _, d := range f.deliveries() {
			name := f.request(d.FetchRequestID).Name
			row := f.until(d.ID, func(d *generated.WebhookQueue) bool {
				return d.Attempts == 1 && d.Status == "pending" && d.NextAttempt.Valid
			})
			if wait := row.NextAttempt.V.Sub(row.LastAttempt.V); wait < want[name] || wait > want[name]+patience {
				t.Errorf("%s: tried again after %s; want %s", name, wait, want[name])
			}
		}
	})
}

// until waits until a delivery is as it should be.
func (f *fixture) until(id generated.WebhookQueueID, is func(*generated.WebhookQueue) bool) *generated.WebhookQueue {
	f.Helper()
	for late := time.Now().Add(patience); ; {
		row := must(f.db.WebhookQueue.Get(f.Context(), id))
		if is(row) {
			return row
		}
		if time.Now().After(late) {
			f.Fatalf("got %+v", row)
		}
		<-time.After(time.Millisecond)
	}
}

// TestHangingEndpoint: one that never answers costs its own time-out, and holds back no other.
func TestHangingEndpoint(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		release := make(chan struct{})
		hangs := f.endpoint(func(http.ResponseWriter, int) { <-release })
		defer close(release)
		fine := f.endpoint(nil)
		slow := f.hook("create", generated.FetchRequestNew{Name: "hangs", URL: hangs.URL, Timeout: store.Int(1), RetryCount: store.Int(0)})
		f.hook("create", generated.FetchRequestNew{Name: "fine", URL: fine.URL})
		f.deliver(options(t))
		for i := range 12 { // more than the limit of one request
			f.article(fmt.Sprint(i))
		}
		for range 12 {
			fine.next(t)
		}
		row := f.ended(f.only(slow.ID).ID)
		if row.Status != "failed" || !strings.Contains(row.Error.V, "timeout") {
			t.Errorf("got %+v", row)
		}
	})
}

// TestSecretsAreMasked: what an endpoint echoes of a request's secrets is not kept.
func TestSecretsAreMasked(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		const secret = "bearer-token-4711"
		e := f.endpoint(func(w http.ResponseWriter, _ int) {
			w.Header().Set("X-Echo", secret)
			w.Header().Set("Set-Cookie", "session=1")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "you sent Authorization: Bearer %s\x00\xff", secret)
		})
		r := f.hook("create", generated.FetchRequestNew{Name: "echo", URL: e.URL + "/path-" + secret, Headers: store.Set(store.JSON(`{"authorization": "Bearer ` + secret + `"}`))})
		f.deliver(options(t))
		f.article("one")
		if got := e.next(t).header.Get("Authorization"); got != "Bearer "+secret {
			t.Errorf("sent %q", got)
		}
		row := f.ended(f.only(r.ID).ID)
		log := f.log(row.ID)
		if len(log) != 1 {
			t.Fatalf("got %+v", log)
		}
		kept := fmt.Sprint(row, log[0], string(log[0].ResponseHeaders.V))
		if strings.Contains(kept, secret) || strings.Contains(kept, "session=1") || !strings.Contains(log[0].ResponseBody.V, "***") {
			t.Errorf("got %s", kept)
		}
	})
}

// TestOrdered: deliveries of one row arrive in order, across failures; those of others go on.
func TestOrdered(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		e := f.endpoint(func(w http.ResponseWriter, n int) {
			if n <= 2 {
				w.WriteHeader(503)
			}
		})
		n := generated.FetchRequestNew{
			Name: "ordered", URL: e.URL, Ordered: store.Set(true), RetryCount: store.Int(9),
			BodyTemplate: store.Set(`{"id": {{.ID}}, "stars": {{.Stars}}}`),
		}
		f.hook("update", n)
		a := f.article("one")
		for i := range 5 {
			must(f.db.Article.Update(ctx, a.ID, generated.ArticlePatch{Stars: store.Int(int64(i))}))
		}
		f.deliver(options(t))
		var bodies []string
		for len(bodies) < 7 {
			bodies = append(bodies, e.next(t).body)
		}
		for i, body := range bodies {
			if want := fmt.Sprintf(`"stars": %d}`, max(0, i-2)); !strings.HasSuffix(body, want) {
				t.Errorf("request %d is %s; want %s", i, body, want)
			}
		}
		for _, d := range f.deliveries() {
			row := f.ended(d.ID)
			if want := map[bool]int64{true: 3, false: 1}[d.ID == f.deliveries()[0].ID]; row.Attempts != want {
				t.Errorf("delivery %d took %d attempts; want %d: waiting for order is none", d.ID, row.Attempts, want)
			}
		}
	})
}

func TestRotation(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		e := f.endpoint(nil)
		r := f.hook("create", generated.FetchRequestNew{Name: "signed", URL: e.URL})
		first := must(f.db.FetchRequests.RotateSecret(ctx, r.ID, 0))
		second := must(f.db.FetchRequests.RotateSigningKey(ctx, r.ID, time.Hour))
		f.deliver(options(t))
		f.article("one")
		g := e.next(t)
		for i, key := range []webhook.Verifier{first, second} {
			if _, err := webhook.Verify(g.header, []byte(g.body), webhook.VerifyOptions{}, key); err != nil {
				t.Errorf("key %d: %v", i, err)
			}
		}
		third := must(f.db.FetchRequests.RotateSecret(ctx, r.ID, 0)) // the others end
		f.article("two")
		g = e.next(t)
		for i, key := range []webhook.Verifier{first, second, third} {
			if _, err := webhook.Verify(g.header, []byte(g.body), webhook.VerifyOptions{}, key); (err == nil) != (i == 2) {
				t.Errorf("key %d: %v", i, err)
			}
		}
		if text := fmt.Sprintf("%v %+v", f.request(r.ID), f.request(r.ID)); strings.Contains(text, third.Reveal()) {
			t.Errorf("the secret is printed: %s", text)
		}
		if _, err := f.db.FetchRequests.RotateSecret(ctx, 4711, 0); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestTest(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		e := f.endpoint(status(418))
		r := f.hook("create", generated.FetchRequestNew{Name: "tested", URL: e.URL + "/{{.Title}}", BodyTemplate: store.Set(`{"title": {{.Title}}, "price": {{.Price}}}`)})
		f.deliver(options(t))
		id := must(f.db.WebhookQueue.Test(ctx, r.ID))
		if g := e.next(t); g.body != `{"title": "test", "price": null}` || g.path != "/test" {
			t.Errorf("got %s, %s", g.path, g.body)
		}
		row := f.ended(id)
		if log := f.log(id); row.Status != "failed" || row.EventType != "webhook.test" || len(log) != 1 || log[0].ResponseStatus.V != 418 || log[0].TriggerEvent.V != "test" {
			t.Errorf("got %+v, %+v", row, log)
		}
		alone := must(f.db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "without a link", URL: e.URL}))
		must(f.db.WebhookQueue.Test(ctx, alone.ID))
		if g := e.next(t); !strings.Contains(g.body, `"type":"webhook.test"`) {
			t.Errorf("got %s", g.body)
		}
	})
}

// TestDeletedRequest: what waits for a request goes with it, and one that is being sent does no
// harm.
func TestDeletedRequest(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		arrived, release := make(chan struct{}), make(chan struct{})
		e := f.endpoint(func(http.ResponseWriter, int) {
			close(arrived)
			<-release
		})
		r := f.hook("create", generated.FetchRequestNew{Name: "deleted", URL: e.URL})
		stop := f.deliver(options(t))
		f.article("one")
		<-arrived
		if err := f.db.FetchRequests.Delete(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		close(release)
		e.next(t)
		stop()
		if n := len(f.deliveries()); n != 0 {
			t.Errorf("%d deliveries are left", n)
		}
	})
}

// TestNothingIsDelivered where a program does not ask for it, or asks for what cannot be.
func TestNothingIsDelivered(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		o := options(t)
		o.Egress.Allow = []string{"not an address!"}
		if err := f.db.Run(ctx, generated.Workers{Webhooks: o}); err == nil || !strings.Contains(err.Error(), "not an address!") {
			t.Errorf("got %v", err)
		}
	})
}
