package press_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook/internal/press/generated"
)

// types returns the events of the deliveries, oldest first.
func (f *fixture) types() []string {
	f.Helper()
	var out []string
	for _, d := range f.deliveries() {
		out = append(out, d.EventType+" "+d.ContentDataID.V)
	}
	return out
}

func (f *fixture) sent(want ...string) {
	f.Helper()
	if got := f.types(); !slices.Equal(got, want) {
		f.Errorf("deliveries are %q; want %q", got, want)
	}
}

const example = "https://hooks.example.com/"

func TestWhatFires(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		for _, event := range []generated.RouteWebhookTriggerEvent{"create", "update", "delete"} {
			f.hook(event, generated.FetchRequestNew{Name: string(event), URL: example})
		}
		a := f.article("one")
		id := fmt.Sprint(a.ID)
		f.sent("article.create " + id)
		failed := errors.New("failed")
		err := f.db.Tx(ctx, func(tx *generated.Tx) error {
			if _, err := tx.Article.Create(ctx, generated.ArticleNew{Title: "two"}); err != nil {
				return err
			}
			return failed
		})
		if !errors.Is(err, failed) {
			t.Fatal(err)
		}
		f.sent("article.create " + id)
		if _, err := f.db.Article.Update(ctx, a.ID, generated.ArticlePatch{Title: store.Set("three")}); err != nil {
			t.Fatal(err)
		}
		if err := f.db.Article.Delete(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		f.sent("article.create "+id, "article.update "+id, "article.delete "+id)
		var last struct{ Data, Previous map[string]any }
		if err := json.Unmarshal([]byte(f.deliveries()[2].Body.V), &last); err != nil || last.Data["title"] != "three" || last.Previous != nil {
			t.Errorf("%v: got %v", err, last)
		}
	})
}

func TestManyRowsFireInBatches(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.hook("create", generated.FetchRequestNew{Name: "all", URL: example})
		f.hook("create", generated.FetchRequestNew{Name: "also all", URL: example})
		ns := make([]generated.ArticleNew, 1001)
		for i := range ns {
			ns[i].Title = fmt.Sprint("article ", i)
		}
		if _, err := f.db.Article.CreateMany(t.Context(), ns); err != nil {
			t.Fatal(err)
		}
		n, err := f.db.WebhookQueue.Count(t.Context(), generated.WebhookQueueFilter{}, 0)
		if err != nil || n != 2*len(ns) {
			t.Errorf("%d deliveries, %v; want %d", n, err, 2*len(ns))
		}
	})
}

func TestRoutes(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		r := must(f.db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "all", URL: example}))
		all := must(f.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{FetchRequestID: r.ID, TriggerEvent: "create"}))
		must(f.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{FetchRequestID: r.ID, TriggerEvent: "create", RouteID: store.Set(f.route("blog"))}))
		a := f.article("one")
		c := must(f.db.Comment.Create(ctx, generated.CommentNew{Text: "first", ArticleID: store.Set(a.ID)}))
		f.sent(fmt.Sprint("article.create ", a.ID), fmt.Sprint("comment.create ", c.ID)) // once, although two links match
		if d := f.deliveries(); d[0].RouteID.V != int64(f.route("blog")) || d[1].RouteID.Valid {
			t.Errorf("got the routes %v and %v", d[0].RouteID, d[1].RouteID)
		}
		if err := f.db.RouteWebhooks.Delete(ctx, all.ID); err != nil {
			t.Fatal(err)
		}
		must(f.db.Comment.Create(ctx, generated.CommentNew{Text: "second"}))
		if n := len(f.deliveries()); n != 2 {
			t.Errorf("%d deliveries; want 2", n)
		}
		// what a foreign key deletes fires as well
		gone := must(f.db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "gone", URL: example}))
		must(f.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{FetchRequestID: gone.ID, TriggerEvent: "delete"}))
		if err := f.db.Article.Delete(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		f.sent(fmt.Sprint("article.create ", a.ID), fmt.Sprint("comment.create ", c.ID), fmt.Sprint("comment.delete ", c.ID), fmt.Sprint("article.delete ", a.ID))
	})
}

func TestConditions(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		r := must(f.db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "stars", URL: example}))
		must(f.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{
			FetchRequestID: r.ID, TriggerEvent: "update", RouteID: store.Set(f.route("blog")),
			ConditionJSON: store.Set(store.JSON(`{"all_of": [{"field": "stars", "gt": 3}, {"field": "before.stars", "lte": 3}]}`)),
		}))
		a := f.article("one")
		for _, stars := range []int64{3, 4, 5, 1, 9} {
			must(f.db.Article.Update(ctx, a.ID, generated.ArticlePatch{Stars: store.Set(stars)}))
		}
		if n := len(f.deliveries()); n != 2 {
			t.Errorf("%d deliveries; want 2", n)
		}
	})
}

// TestExamplesOfTemplates has templates as one would write them, and a row that tries to break them.
func TestExamplesOfTemplates(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		for _, n := range []generated.FetchRequestNew{
			{
				Name: "CRM", URL: example,
				Headers:      store.Set(store.JSON(`{"Authorization": "Bearer secret123"}`)),
				BodyTemplate: store.Set(`{"event": "content_published", "id": {{.ID}}, "title": "{{.Title}}", "url": "{{.URL}}"}`),
			},
			{Name: "CDN", URL: example, BodyTemplate: store.Set(`{"files": ["{{.URL}}"]}`)},
			{
				Name: "search", URL: example + "1/indexes/{{.Status}}/batch?title={{.Title}}", Headers: store.Set(store.JSON(`{"X-Title": "{{.Stars}}"}`)),
				BodyTemplate: store.Set(`{"requests": [{"action": "addObject", "body": {"objectID": "{{.ID}}", "title": "{{.Title}}", "content": "{{.Body}}"}}]}`),
			},
		} {
			f.hook("create", n)
		}
		hostile := "a \"quote\", a \\, a </tag> &\nand a line"
		a := must(f.db.Article.Create(t.Context(), generated.ArticleNew{Title: hostile, Body: store.Set(hostile), URL: store.Set("https://example.com/a?b=c&d")}))
		list := f.deliveries()
		if len(list) != 3 {
			t.Fatalf("got %+v", list)
		}
		var crm struct {
			Event, Title, URL string
			ID                int64
		}
		var cdn struct{ Files []string }
		var search struct {
			Requests []struct {
				Body struct{ ObjectID, Title, Content string }
			}
		}
		for i, v := range []any{&crm, &cdn, &search} {
			if err := json.Unmarshal([]byte(list[i].Body.V), v); err != nil {
				t.Fatalf("%v: %s", err, list[i].Body.V)
			}
		}
		if crm.Title != hostile || crm.ID != int64(a.ID) || cdn.Files[0] != a.URL.V || search.Requests[0].Body.Content != hostile {
			t.Errorf("got %+v, %+v, %+v", crm, cdn, search)
		}
		if want := example + "1/indexes/draft/batch?title=a+%22quote%22%2C"; !strings.HasPrefix(list[2].URL.V, want) || list[0].URL.Valid {
			t.Errorf("got the URL %s", list[2].URL.V)
		}
		if string(list[2].Headers.V) == "" || list[0].Headers.Valid {
			t.Errorf("got the headers %s and %s", list[2].Headers.V, list[0].Headers.V)
		}
	})
}

func TestRefusedWhenSaved(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		for _, c := range []struct {
			name string
			n    generated.FetchRequestNew
			want string
		}{
			{"a line break in a header", generated.FetchRequestNew{Headers: store.Set(store.JSON(`{"X-A": "a\r\nb"}`))}, "headers"},
			{"a header of the signature", generated.FetchRequestNew{Headers: store.Set(store.JSON(`{"webhook-id": "1"}`))}, "Webhook-Id"},
			{"headers that are a list", generated.FetchRequestNew{Headers: store.Set(store.JSON(`["a"]`))}, "headers"},
			{"an unknown content type", generated.FetchRequestNew{Headers: store.Set(store.JSON(`{"content-type": "image/png"}`))}, "Content-Type"},
			{"a URL of a file", generated.FetchRequestNew{URL: "https://user:pass@example.com/"}, "url"},
			{"a key that is none", generated.FetchRequestNew{SigningKeys: store.Set(store.JSON(`[{"key": "whsec_abc"}]`))}, "signing_keys"},
			{"a GET with a body", generated.FetchRequestNew{Method: store.Set(generated.FetchRequestMethodGet), BodyTemplate: store.Set("{}")}, "body_template"},
		} {
			c.n.Name = c.name
			if c.n.URL == "" {
				c.n.URL = example
			}
			_, err := f.db.FetchRequests.Create(ctx, c.n)
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v; want %q in it", c.name, err, c.want)
			}
		}
	})
}

// TestTemplatesFitWhatTheyAreLinkedTo: a misspelt field is an error when the link or the request
// is saved, the one that comes last.
func TestTemplatesFitWhatTheyAreLinkedTo(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		refused := func(err error, words ...string) {
			t.Helper()
			if !errors.Is(err, store.ErrInvalid) {
				t.Errorf("got %v", err)
				return
			}
			for _, w := range words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v does not name %s", err, w)
				}
			}
		}
		r := must(f.db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "typo", URL: example, BodyTemplate: store.Set("{\n \"a\": {{.Titel}}}")}))
		link := generated.RouteWebhookNew{RouteID: store.Set(f.route("blog")), FetchRequestID: r.ID, TriggerEvent: "create"}
		_, err := f.db.RouteWebhooks.Create(ctx, link)
		refused(err, "article", "Titel", "Title", "2:")
		must(f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{BodyTemplate: store.Set(`{"a": {{.Title}}}`)}))
		must(f.db.RouteWebhooks.Create(ctx, link))
		_, err = f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{BodyTemplate: store.Set(`{"a": {{.Nam}}}`)})
		refused(err, "body_template", "Nam")
		_, err = f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{URL: store.Set(example + "{{.Nam}}")})
		refused(err, "url", "Nam")
		_, err = f.db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{BodyTemplate: store.Set(`{"token": {{.Token}}}`)})
		refused(err, "body_template", "Token") // a secret
		// a link to every route needs fields that all datatypes have
		_, err = f.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{FetchRequestID: r.ID, TriggerEvent: "create"})
		refused(err, "comment", "Title")
		_, err = f.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{
			RouteID: link.RouteID, FetchRequestID: r.ID, TriggerEvent: "create", ConditionJSON: store.Set(store.JSON(`{"field": "titel", "eq": 1}`)),
		})
		refused(err, "condition_json", "titel")
		_, err = f.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{RouteID: store.Set(f.route("webhook-queue")), FetchRequestID: r.ID, TriggerEvent: "create"})
		refused(err, "route_id", "webhook-queue")
	})
}

// TestBrokenRowsAreSeen: what SQL wrote past the checks fails with a reason, and undoes no write.
func TestBrokenRowsAreSeen(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		good := f.hook("create", generated.FetchRequestNew{Name: "good", URL: example})
		bad := f.hook("create", generated.FetchRequestNew{Name: "bad", URL: example})
		f.exec(fmt.Sprintf("UPDATE fetch_requests SET body_template = '{{.Nothing}}' WHERE id = %d", bad.ID))
		other := open(t, f.dsn) // a process that has seen nothing yet
		must(other.Article.Create(t.Context(), generated.ArticleNew{Title: "one"}))
		list := f.deliveries()
		if len(list) != 2 {
			t.Fatalf("got %+v", list)
		}
		for _, d := range list {
			switch d.FetchRequestID {
			case good.ID:
				if d.Status != "pending" {
					t.Errorf("got %+v", d)
				}
			case bad.ID:
				if d.Status != "failed" || !strings.Contains(d.Error.V, "Nothing") || !d.CompletedAt.Valid {
					t.Errorf("got %+v", d)
				}
			}
		}
	})
}

// TestLargeRow: a row of five megabytes is written, and its delivery says why it was not sent.
func TestLargeRow(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.hook("create", generated.FetchRequestNew{Name: "whole", URL: example})
		f.hook("create", generated.FetchRequestNew{Name: "title", URL: example, BodyTemplate: store.Set(`{"title": {{.Title}}}`)})
		f.hook("create", generated.FetchRequestNew{Name: "body", URL: example, BodyTemplate: store.Set(`{"body": {{.Body}}}`)})
		must(f.db.Article.Create(t.Context(), generated.ArticleNew{Title: "long", Body: store.Set(strings.Repeat("é", 2_500_000))}))
		var states []string
		for _, d := range f.deliveries() {
			states = append(states, string(d.Status))
		}
		slices.Sort(states)
		if !slices.Equal(states, []string{"failed", "failed", "pending"}) {
			t.Errorf("got %v", states)
		}
	})
}

// TestOtherProcessesSeeWebhooks: within a second, and those of a transaction at its commit.
func TestOtherProcessesSeeWebhooks(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		other := open(t, f.dsn)
		count := func() int { return len(f.deliveries()) }
		must(other.Article.Create(ctx, generated.ArticleNew{Title: "before"})) // it knows of none now
		err := f.db.Tx(ctx, func(tx *generated.Tx) error {
			r, err := tx.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "new", URL: example})
			if err != nil {
				return err
			}
			if _, err := tx.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{FetchRequestID: r.ID, TriggerEvent: "create"}); err != nil {
				return err
			}
			_, err = tx.Article.Create(ctx, generated.ArticleNew{Title: "with it"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 0 {
			t.Errorf("%d deliveries of a webhook that was not committed; want none", n)
		}
		f.article("after it")
		if n := count(); n != 1 {
			t.Errorf("%d deliveries after the commit; want 1", n)
		}
		late := time.Now().Add(patience)
		for n := count(); ; {
			must(other.Article.Create(ctx, generated.ArticleNew{Title: "elsewhere"}))
			if count() > n {
				break
			}
			if time.Now().After(late) {
				t.Fatal("the other process does not see the webhook")
			}
		}
	})
}

// exec runs SQL of an operator's.
func (f *fixture) exec(sql string) {
	f.Helper()
	if _, err := f.db.Store().Conn().Exec(f.Context(), sql, nil); err != nil {
		f.Fatal(err)
	}
}
