package press_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook/internal/press/generated"
)

// TestNoWebhookUndoesAWrite: whatever a webhook is, and whatever a row has, the row is
// written, and each delivery is there: to be sent, or failed with a reason.
func TestNoWebhookUndoesAWrite(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		text := func(s string) store.Opt[string] { return store.Set(s) }
		headers := func(s string) store.Opt[store.JSON] { return store.Set(store.JSON(s)) }
		many := make([]string, 50)
		for i := range many {
			many[i] = fmt.Sprintf(`"X-%d": "{{.Body}}"`, i)
		}
		hooks := []generated.FetchRequestNew{
			{Name: "envelope"},
			{Name: "url", URL: example + "?q={{.Body}}"},
			{Name: "path", URL: example + "{{.Title}}/{{.Body}}"},
			{Name: "headers", Headers: headers("{" + strings.Join(many, ",") + "}")},
			{Name: "text", Headers: headers(`{"Content-Type": "text/plain"}`), BodyTemplate: text("{{.Title}} {{.Body}}")},
			{Name: "form", Headers: headers(`{"Content-Type": "application/x-www-form-urlencoded"}`), BodyTemplate: text("a={{.Title}}&b={{.Body}}")},
			{Name: "xml", Headers: headers(`{"Content-Type": "text/xml"}`), BodyTemplate: text("<a b=\"{{.Title}}\">{{.Body}}</a>")},
			{Name: "json", BodyTemplate: text(`{"a": {{.Body}}, "b": "{{.Body}}", "c": "{{.Title}}"}`)},
			{Name: "xml without a body", Headers: headers(`{"Content-Type": "text/xml"}`)},
			{Name: "never"},
			{Name: "often"},
			{Name: "slow"},
			{Name: "headers by SQL"},
			{Name: "keys by SQL"},
			{Name: "a name by SQL"},
			{Name: "a type by SQL"},
		}
		ids := map[string]generated.FetchRequestID{}
		for _, n := range hooks {
			if n.URL == "" {
				n.URL = example
			}
			ids[n.Name] = f.hook("create", n).ID
			must(f.db.RouteWebhooks.Create(f.Context(), generated.RouteWebhookNew{RouteID: store.Set(f.route("blog")), FetchRequestID: ids[n.Name], TriggerEvent: "update"}))
		}
		for name, set := range map[string]string{
			"never":          "retry_count = -5",
			"often":          fmt.Sprint("retry_count = ", int64(math.MaxInt64)),
			"slow":           "timeout = -1",
			"headers by SQL": `headers = '["a"]'`,
			"keys by SQL":    `signing_keys = '[{"key": 5}]'`,
			"a name by SQL":  `headers = '{"` + strings.Repeat("é\\u0007 ", 20_000) + `": "{{.Title}}"}'`,
			"a type by SQL":  `headers = '{"Content-Type": "` + strings.Repeat("x", 70_000) + `"}'`,
		} {
			if strings.HasPrefix(f.dsn, "mysql") {
				set = strings.ReplaceAll(set, `\`, `\\`)
			}
			f.exec(fmt.Sprintf("UPDATE fetch_requests SET %s WHERE id = %d", set, ids[name]))
		}
		db := open(t, f.dsn) // a process that has seen nothing yet
		rows := []generated.ArticleNew{
			{Title: "plain"},
			{Title: "\r\n\t\x01\x7f \u2028 </a> \" ' \\ & %2e", Body: text("\r\n")},
			{Title: "..", Body: text(".")},
			{Title: "long", Body: text(strings.Repeat("é", 1<<20))},
		}
		for _, n := range rows {
			before := len(f.deliveries())
			a, err := db.Article.Create(t.Context(), n)
			if err != nil {
				t.Errorf("%.10q: %.300s", n.Title, err)
				continue
			}
			if _, err := db.Article.Update(t.Context(), a.ID, generated.ArticlePatch{Stars: store.Set[int64](5)}); err != nil {
				t.Errorf("%.10q: %.300s", n.Title, err)
			}
			for _, d := range f.deliveries()[before:] {
				if (d.Status == "failed") != d.Error.Valid || len(d.Error.V) > 4000 {
					t.Errorf("%.10q: %d is %s: %.300s", n.Title, d.FetchRequestID, d.Status, d.Error.V)
				}
			}
			if n := len(f.deliveries()) - before; n != 2*len(hooks) {
				t.Errorf("%d deliveries; want %d", n, 2*len(hooks))
			}
		}
	})
}
