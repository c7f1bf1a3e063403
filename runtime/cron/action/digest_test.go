package action_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/cron/action"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

const envelope = `"action": "digest_email", "to": "ops@example.com", "from": "shop@example.com", "subject": "{{.Count}} new in {{.Datatype}}", "datatype": "article"`

// TestDigest sends what a condition selects of the time before the run, on every database.
func TestDigest(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, kind)
			for i := range 10 {
				_, err := b.db.Article.Create(t.Context(), storetest.ArticleNew{
					Slug: fmt.Sprintf("s%d", i), Title: fmt.Sprintf("<b>%d</b>", i), CreatedAt: store.Set(due.Add(-time.Duration(i) * time.Hour)),
					Price: store.Set(decimal.New(int64(i), 0)), Token: store.Set("topsecret"), Rank: store.Set(int64(i)), Public: store.Set(i%2 == 0),
					Data: store.Set(store.JSON(`{"n": 1}`)),
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range []struct{ more, subject, plain string }{
				{`"plain": "{{range .Rows}}{{.Slug}} {{end}}"`, "10 new in article", "s9 s8 s7 s6 s5 s4 s3 s2 s1 s0"},
				// What is made in the very instant of the run is of the next one.
				{`"since": "3h", "plain": "{{range .Rows}}{{.Slug}} {{end}}"`, "3 new in article", "s1 s2 s3"},
				{`"since": "1d", "limit": 2, "plain": "{{len .Rows}} {{range $.Rows}}{{.Slug}} {{end}}"`, "9 new in article", "2 s1 s2"},
				{`"where": {"all_of": [{"field": "rank", "gte": 3, "lt": 6}, {"none_of": [{"field": "slug", "eq": "s4"}]}]}, "plain": "{{range .Rows}}{{.Slug}} {{end}}"`, "2 new in article", "s5 s3"},
				{`"where": {"field": "price", "in": ["2.00", 7]}, "plain": "{{range .Rows}}{{.Slug}} {{.Price}} {{end}}"`, "2 new in article", "s7 7.00 s2 2.00"},
				{`"where": {"field": "created_at", "lte": "2026-01-01T18:00:00Z"}, "plain": "{{range .Rows}}{{.Slug}} {{end}}"`, "2 new in article", "s9 s8"},
				{`"where": {"all_of": [{"field": "ends_at", "exists": false}, {"field": "public", "eq": false}, {"field": "status", "ne": "published"}]}, "limit": 1, "plain": "{{range .Rows}}{{.ID}}{{with .EndsAt}}no{{end}} {{date \"15:04\" .CreatedAt}} {{.Data}} {{.Rank}}{{end}}"`, "5 new in article", "10 17:00 {\"n\":1} 9"},
			} {
				b.messages = nil
				if _, err := b.run(t, "predefined", `{`+envelope+`, `+c.more+`}`); err != nil || len(b.messages) != 1 {
					t.Errorf("%s: %v, %d messages", c.more, err, len(b.messages))
					continue
				}
				m := b.messages[0]
				if got := strings.TrimSpace(m.Plain); got != c.plain || m.Subject != c.subject {
					t.Errorf("%s: %q, %q; want %q, %q", c.more, m.Subject, got, c.subject, c.plain)
				}
			}

			// Without templates there is a table; no secret is in it, nor HTML of a row.
			b.messages = nil
			r, err := b.run(t, "predefined", `{`+envelope+`, "since": "2h"}`)
			if err != nil {
				t.Fatal(err)
			}
			m := b.messages[0]
			if r.Output() != "added message 5 to email_queue, about 2 rows of article\n" || m.IdempotencyKey == "" ||
				!strings.Contains(m.HTML, "<td>&lt;b&gt;1&lt;/b&gt;</td>") || !strings.Contains(m.Plain, "title: <b>1</b>\n") ||
				strings.Contains(m.HTML+m.Plain, "topsecret") || strings.Contains(m.HTML, "token") {
				t.Errorf("%q, %+v", r.Output(), m)
			}
			again, err := b.run(t, "predefined", `{`+envelope+`, "since": "2h"}`)
			if err != nil || b.messages[1].IdempotencyKey != m.IdempotencyKey {
				t.Errorf("the second attempt has the key %q, the first %q; %v, %s", b.messages[1].IdempotencyKey, m.IdempotencyKey, err, again.Output())
			}
			// HTML of templates is escaped.
			if _, err := b.run(t, "predefined", `{`+envelope+`, "since": "1h", "template": "<ul>{{range .Rows}}<li title={{.Slug}}>{{.Title}}</li>{{else}}none{{end}}</ul>"}`); err != nil {
				t.Fatal(err)
			}
			if html := b.messages[2].HTML; html != "<ul><li title=s1>&lt;b&gt;1&lt;/b&gt;</li></ul>" {
				t.Error(html)
			}
			// No rows: no mail, unless it is wanted.
			empty := `"where": {"field": "slug", "eq": "none"}`
			r, err = b.run(t, "predefined", `{`+envelope+`, `+empty+`}`)
			if err != nil || len(b.messages) != 3 || r.Output() != "no row of article, and no mail\n" {
				t.Errorf("%q, %v", r.Output(), err)
			}
			if _, err = b.run(t, "predefined", `{`+envelope+`, `+empty+`, "skip_empty": false}`); err != nil || len(b.messages) != 4 || b.messages[3].Subject != "0 new in article" {
				t.Error(err)
			}
		})
	}
}

// TestDigestRefused has what is wrong with a digest when its job is saved, and above all with its templates: they stand in
// rows, and must end.
func TestDigestRefused(t *testing.T) {
	b := newBench(t, "sqlite")
	types := b.types(t)
	for _, c := range []struct{ more, want string }{
		{`"datatype": "articles"`, "is article meant?"},
		{`"limit": 0`, "limit is 0"},
		{`"limit": 1001`, "limit is 1001"},
		{`"limit": "5"`, "limit is a string"},
		{`"since": "yesterday"`, `such as "24h" or "7d"`},
		{`"since": "-1h"`, "since is -1h"},
		{`"since": "99999d"`, "since is"},
		{`"since": 24`, "since is a text"},
		{`"since_field": "created_at"`, "since_field is there without since"},
		{`"since": "1h", "since_field": "creatd_at"`, "is created_at meant?"},
		{`"since": "1h", "since_field": "title"`, "is not a datetime"},
		{`"where": []`, "where cannot be used"},
		{`"where": {"field": "titel", "eq": "x"}`, `did you mean \"title\"`},
		{`"where": {"field": "token", "eq": "x"}`, "token is secret"},
		{`"where": {"field": "title", "changed": true}`, "not by what changed"},
		{`"where": {"field": "before.title", "eq": "x"}`, "not by what changed"},
		{`"to": []`, "to is empty"},
		{`"to": [5]`, "to is an address"},
		{`"from": "nobody"`, "no address"},
		{`"subject": "{{.Coutn}}"`, "subject is not a template that can be used"},
		{`"subject": "{{"`, "subject is not a template"},
		{`"plain": "{{range .Rows}}{{.Titel}}{{end}}"`, "Titel"},
		{`"plain": "{{range .Rows}}{{.Token}}{{end}}"`, "Token"},
		{`"plain": "{{range .Rows}}{{.Cover}}{{end}}"`, "Cover"},
		{`"template": "<a href='{{.Job}}"`, "template"},
		{`"template": "{{define \"a\"}}{{end}}x"`, "define and block are not permitted"},
		{`"template": "{{template \"template\"}}"`, "template is not permitted"},
		{`"plain": "{{template \"plain\" .}}"`, "template is not permitted"},
		{`"plain": "{{block \"a\" .}}{{end}}"`, "not permitted"},
		{`"plain": "{{range 1000000000}}{{end}}"`, "range is over $.Rows alone"},
		{`"plain": "{{range .Count}}{{end}}"`, "range is over $.Rows alone"},
		{`"plain": "{{range .Rows}}{{range $.Rows}}{{end}}{{end}}"`, "a range within a range"},
		{`"plain": "{{range .Rows}}{{if true}}{{range $.Rows}}{{end}}{{end}}{{end}}"`, "a range within a range"},
		{`"plain": "{{with .Rows}}{{range .Rows}}{{end}}{{end}}"`, "range is over $.Rows alone"},
		{`"plain": "{{range $i, $r := .Rows}}{{end}}"`, "range is over $.Rows alone"},
		{`"plain": "{{$x := .Job}}{{$x}}"`, "variables are not permitted"},
		{`"plain": "{{with $x := .Job}}{{end}}"`, "variables are not permitted"},
		{`"plain": "{{printf \"%999999d\" 1}}"`, "printf is not permitted"},
		{`"plain": "{{with print .Job .Job}}{{print . .}}{{end}}"`, "print is not permitted"},
		{`"plain": "{{.Job | js | js}}"`, "js is not permitted"},
		{`"plain": "{{(print .Job).Foo}}"`, "print is not permitted"},
		{`"plain": "{{if (eq (print .Job) .Job)}}{{end}}"`, "print is not permitted"},
		{`"plain": "{{call .Job}}"`, "call is not permitted"},
		{`"plain": "{{index .Rows 0}}"`, "fail without rows"},
		{`"plain": "` + strings.Repeat("x", 65_000-200) + strings.Repeat("y", 2000) + `"`, "permitted"},
		{`"skip_empty": "yes"`, "skip_empty is a string"},
	} {
		config := `{` + envelope + `, ` + c.more + `}`
		err := types["predefined"].Check(store.JSON(config))
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), `"`, `\"`), strings.ReplaceAll(c.want, `"`, `\"`)) && !strings.Contains(err.Error(), strings.ReplaceAll(c.want, `\"`, `"`)) {
			t.Errorf("%.200s:\n got %.300v\nwant %s", c.more, err, c.want)
		}
	}
	a, err := action.Find(types, "predefined", store.JSON(`{`+envelope+`}`))
	if err != nil || a.Check(store.JSON(`{`+envelope+`}`)) != nil {
		t.Errorf("the plain one: %v", err)
	}
}

// TestDigestBounded stops at a number of bytes, however long rows are.
func TestDigestBounded(t *testing.T) {
	b := newBench(t, "sqlite")
	for i := range 30 {
		if _, err := b.db.Article.Create(t.Context(), storetest.ArticleNew{Slug: fmt.Sprint(i), Title: "long", Body: store.Set(strings.Repeat("é", 100_000))}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.run(t, "predefined", `{`+envelope+`, "plain": "{{range .Rows}}{{.Body}}{{end}}"}`); err != nil {
		t.Fatal(err)
	}
	if n := len(b.messages[0].Plain); n != 30*10_000 {
		t.Errorf("the body has %d bytes", n)
	}
	long := strings.Repeat("{{.Body}}", 10)
	if _, err := b.run(t, "predefined", `{`+envelope+`, "plain": "{{range .Rows}}`+long+`{{end}}"}`); err == nil || !isFinal(err) {
		t.Errorf("a text of 3 MB: %v", err)
	}
}
