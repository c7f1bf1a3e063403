package press_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook/internal/press/generated"
)

// TestWebhooksAboutWebhooks: the tables of webhooks have events here. A request about requests
// does not fire for what its own deliveries note in it, nor does anything about deliveries.
func TestWebhooksAboutWebhooks(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		e := f.endpoint(func(w http.ResponseWriter, n int) {
			if n%2 == 1 { // each delivery fails, and then succeeds
				w.WriteHeader(500)
			}
		})
		r := must(f.db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "itself", URL: e.URL}))
		for _, event := range []generated.RouteWebhookTriggerEvent{"create", "update"} {
			must(f.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{FetchRequestID: r.ID, TriggerEvent: event}))
		}
		f.deliver(options(t))
		f.article("one")
		must(f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{RetryCount: store.Int(5)}))
		for _, d := range f.deliveries() {
			if row := f.ended(d.ID); row.Status != "delivered" {
				t.Errorf("got %+v", row)
			}
		}
		must(f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{Active: store.Set(false)}))
		must(f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{Active: store.Set(true), Name: store.Set("another")}))
		must(f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{Name: store.Set("a third")}))
		about := fmt.Sprint("fetch_requests.update ", r.ID)
		f.sent(f.types()[0], about, about, about) // not the one that switched it on: it was off then
		if body := f.deliveries()[1].Body.V; !strings.Contains(body, `"retry_count":5`) {
			t.Errorf("got %s", body)
		}
	})
}

// TestLimitsOfTheQueue: its url has less room here than templates make, and its error less
// than errors have. What does not fit fails, and undoes no write.
func TestLimitsOfTheQueue(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		for i, url := range []string{"{{.ID}}", "{{.ID}}?title={{.Body}}", "{{.ID}}"} {
			f.hook("create", generated.FetchRequestNew{Name: fmt.Sprint(i), URL: example + url})
		}
		must(f.db.Article.CreateMany(t.Context(), []generated.ArticleNew{
			{Title: "short"}, {Title: "long", Body: store.Set(strings.Repeat("a", 5000))}, {Title: "too long", Body: store.Set(strings.Repeat("a", 50_000))},
		}))
		var states []string
		for _, d := range f.deliveries() {
			states = append(states, fmt.Sprint(d.FetchRequestID, d.Status))
			if (d.Status == "failed") != d.Error.Valid {
				t.Errorf("got %+v", d)
			}
		}
		if got := strings.Join(states, " "); strings.Count(got, "2failed") != 1 || strings.Count(got, "pending") != 8 {
			t.Errorf("got %s", got)
		}
	})
}
