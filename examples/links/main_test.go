package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/examples/links/generated"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// program is the program on a database of the test's own, with an owner of links.
type program struct {
	*testing.T
	*app
	web   http.Handler
	owner string // the path
}

var start = time.Date(2026, 1, 16, 9, 0, 0, 0, time.UTC)

func onEach(t *testing.T, quota int64, test func(p program)) {
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "links.db")
			if kind != "sqlite" {
				dsn = storetest.FreshDSN(t, kind)
			}
			db, err := generated.Open(t.Context(), dsn, generated.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			owner, err := db.Owner.Create(t.Context(), generated.OwnerNew{Name: "Ann", Quota: store.Int(quota)})
			if err != nil {
				t.Fatal(err)
			}
			a := &app{db: db, now: func() time.Time { return start }}
			test(program{t, a, a.routes(), fmt.Sprint("/owners/", owner.ID)})
		})
	}
}

// ask sends a request with a form, and returns the answer.
func (p program) ask(method, target string, form ...string) *httptest.ResponseRecorder {
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	r := httptest.NewRequestWithContext(p.Context(), method, target, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.web.ServeHTTP(w, r)
	return w
}

// want is ask of what has one right status.
func (p program) want(status int, method, target string, form ...string) string {
	p.Helper()
	w := p.ask(method, target, form...)
	if w.Code != status {
		p.Fatalf("%s %s %v: %d %s, want %d", method, target, form, w.Code, w.Body, status)
	}
	return w.Body.String()
}

func (p program) shorten(code string, more ...string) {
	p.Helper()
	p.want(http.StatusOK, "POST", p.owner+"/links", append([]string{"code", code, "target", "https://example.com/" + code}, more...)...)
}

// TestEveryVisitCounts has visitors follow a link at once.
func TestEveryVisitCounts(t *testing.T) {
	onEach(t, 10, func(p program) {
		p.shorten("a")
		p.shorten("b")
		p.shorten("c")
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if w := p.ask("GET", "/a"); w.Code != http.StatusFound || w.Header().Get("Location") != "https://example.com/a" {
					p.Errorf("GET /a: %d %s", w.Code, w.Body)
				}
			})
		}
		wg.Wait()
		p.want(http.StatusFound, "GET", "/b")
		const want = `{"links":3,"total":51,"mean":"17","top":[{"code":"a","total":50},{"code":"b","total":1},{"code":"c","total":0}]}`
		if got := p.want(http.StatusOK, "GET", p.owner+"/report"); got != want {
			p.Errorf("the report is\n%s, want\n%s", got, want)
		}
	})
}

// TestQuotaHolds has one owner add links at once.
func TestQuotaHolds(t *testing.T) {
	onEach(t, 5, func(p program) {
		var wg sync.WaitGroup
		statuses := make(chan int, 20)
		for i := range cap(statuses) {
			wg.Go(func() {
				statuses <- p.ask("POST", p.owner+"/links", "code", fmt.Sprint("c", i), "target", "https://example.com/").Code
			})
		}
		wg.Wait()
		close(statuses)
		count := map[int]int{}
		for s := range statuses {
			count[s]++
		}
		if count[http.StatusOK] != 5 || count[http.StatusConflict] != 15 {
			p.Errorf("5 of 20 may be added: %v", count)
		}
	})
}

// TestStaleEdit has two people edit the version that both have seen.
func TestStaleEdit(t *testing.T) {
	onEach(t, 10, func(p program) {
		p.shorten("a")
		p.want(http.StatusOK, "PUT", "/links/a", "version", "1", "target", "https://example.com/hers")
		p.want(http.StatusFound, "GET", "/a") // a visit is no edit
		p.want(http.StatusConflict, "PUT", "/links/a", "version", "1", "target", "https://example.com/his")
		body := p.want(http.StatusOK, "PUT", "/links/a", "version", "2", "target", "https://example.com/his")
		link, err := p.db.Link.GetByCode(p.Context(), "a")
		if err != nil || link.Version != 3 || link.Target != "https://example.com/his" {
			p.Errorf("%+v, %v; answered %s", link, err, body)
		}
	})
}

// TestExpire ends what is due, at its moment.
func TestExpire(t *testing.T) {
	onEach(t, 10, func(p program) {
		p.shorten("now", "expires", start.Format(time.RFC3339))
		p.shorten("later", "expires", start.Add(time.Second).Format(time.RFC3339))
		p.shorten("never")
		for _, want := range []int64{1, 0} {
			if n, err := p.expire(p.Context()); err != nil || n != want {
				p.Errorf("%d links have expired, want %d: %v", n, want, err)
			}
		}
		p.want(http.StatusGone, "GET", "/now")
		p.want(http.StatusFound, "GET", "/later")
		p.want(http.StatusFound, "GET", "/never")
	})
}

// TestRefusals answers what is wrong with the status that says so.
func TestRefusals(t *testing.T) {
	onEach(t, 10, func(p program) {
		p.shorten("a")
		for _, c := range []struct {
			status         int
			method, target string
			form           []string
			says           string
		}{
			{http.StatusConflict, "POST", p.owner + "/links", []string{"code", "a", "target", "https://example.com/"}, "code"},
			{http.StatusUnprocessableEntity, "POST", p.owner + "/links", []string{"code", "A b", "target", "https://example.com/"}, "code"},
			{http.StatusUnprocessableEntity, "POST", p.owner + "/links", []string{"code", "b", "target", "no address"}, "target"},
			{http.StatusUnprocessableEntity, "POST", p.owner + "/links", []string{"code", "b", "target", "https://example.com/", "expires", "soon"}, "expires"},
			{http.StatusNotFound, "POST", "/owners/999/links", []string{"code", "b", "target", "https://example.com/"}, "owner"},
			{http.StatusUnprocessableEntity, "PUT", "/links/a", []string{"target", "https://example.com/"}, "version"},
			{http.StatusNotFound, "PUT", "/links/b", []string{"version", "1", "target", "https://example.com/"}, "link"},
			{http.StatusUnprocessableEntity, "GET", p.owner + "/links?after=nonsense", nil, "cursor"},
			{http.StatusNotFound, "GET", "/b", nil, "link"},
		} {
			if body := p.want(c.status, c.method, c.target, c.form...); !strings.Contains(body, c.says) {
				p.Errorf("%s %s %v says %q, not what is wrong with %s", c.method, c.target, c.form, body, c.says)
			}
		}
	})
}

// TestPages goes through an owner's links while one is added.
func TestPages(t *testing.T) {
	onEach(t, 100, func(p program) {
		for i := range 45 {
			p.shorten(fmt.Sprintf("c%02d", i))
		}
		seen, after := map[string]bool{}, ""
		for pages := 1; ; pages++ {
			var page struct {
				Items []generated.Link
				Next  store.Cursor
			}
			if err := json.Unmarshal([]byte(p.want(http.StatusOK, "GET", p.owner+"/links?after="+url.QueryEscape(after))), &page); err != nil {
				p.Fatal(err)
			}
			for _, link := range page.Items {
				seen[link.Code] = true
			}
			if pages == 1 {
				p.shorten("new") // it is before the first page
			}
			if after = string(page.Next); after == "" {
				if pages != 3 || len(seen) != 45 || seen["new"] {
					p.Errorf("%d pages with %d links", pages, len(seen))
				}
				return
			}
		}
	})
}
