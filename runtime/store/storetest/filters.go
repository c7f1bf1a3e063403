package storetest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

var f = ArticleFields

// slugs lists what a filter keeps, in the order of creation.
func slugs(t *testing.T, db *DB, where store.Cond[ArticleID]) string {
	t.Helper()
	page, err := db.Article.List(t.Context(), store.Query[ArticleID]{Where: where, Limit: 1000})
	if err != nil {
		t.Error(err)
		return "error"
	}
	var out []string
	for _, a := range page.Items {
		out = append(out, a.Slug)
	}
	return strings.Join(out, " ")
}

func testFilters(t *testing.T, db *DB) {
	mustCreate(t, db, full("full"))
	mustCreate(t, db, ArticleNew{Slug: "bare", Title: "Bare", Day: store.Set(store.Date{Year: 2000, Month: 1, Day: 1})})
	later := noon.Add(time.Nanosecond)
	cases := []struct {
		name string
		cond store.Cond[ArticleID]
		want string
	}{
		{"zero", store.Cond[ArticleID]{}, "full bare"},
		{"everything", store.Everything[ArticleID](), "full bare"},
		{"nothing", store.Not(store.Everything[ArticleID]()), ""},
		{"and of none", store.And[ArticleID](), "full bare"},
		{"or of none", store.Or[ArticleID](), ""},
		{"not zero", store.Not(store.Cond[ArticleID]{}), ""},
		{"text", f.Title.Eq("Bare"), "bare"},
		{"text case", f.Title.Eq("bare"), ""},
		{"text pad", f.Title.Eq("Bare "), ""},
		{"not text pad", f.Title.Ne("Bare "), "full bare"},
		{"in pad", f.Title.In("Bare ", "x"), ""},
		{"in not pad", store.Not(f.Title.In("Bare ", "x")), "full bare"},
		{"null text ne", f.Body.Ne("x"), "full bare"},
		{"null lt", f.Rank.Lt(100), "full"},
		{"not null lt", store.Not(f.Rank.Lt(100)), "bare"},
		{"null", f.Rank.IsNull(), "bare"},
		{"not null", f.Rank.NotNull(), "full"},
		{"never null", f.Views.IsNull(), ""},
		{"always a value", f.Views.NotNull(), "full bare"},
		{"json null", f.Raw.IsNull(), "bare"},
		{"json", f.Data.NotNull(), "full bare"},
		{"enum", f.Status.Eq(ArticleStatusDraft), "bare"},
		{"enum null", f.Mood.In(ArticleStatusDraft, ArticleStatusPublished), "full"},
		{"not in", store.Not(f.Mood.In(ArticleStatusDraft)), "bare"},
		{"in none", f.Mood.In(), ""},
		{"not in none", store.Not(f.Mood.In()), "full bare"},
		{"bool", f.Public.Eq(true), "bare"},
		{"bool in", f.Public.In(true, false), "full bare"},
		{"null bool", f.Pinned.Ne(true), "bare"},
		{"time", f.CreatedAt.Eq(noon), "full"},
		{"time cut", f.CreatedAt.Eq(later), "full"},
		{"time lte", f.CreatedAt.Lte(noon), "full"},
		{"time in", f.CreatedAt.In(noon, later), "full"},
		{"null time", f.EndsAt.Between(noon, noon.Add(time.Hour)), "full"},
		{"date", f.Day.Lt(store.Date{Year: 2001, Month: 1, Day: 1}), "bare"},
		{"date in", f.Day.In(store.Date{Year: 2000, Month: 1, Day: 1}, store.Date{Year: 2024, Month: 2, Day: 29}), "full bare"},
		{"decimal", f.Price.Eq(dec("19.900")), "full"},
		{"decimal between two", f.Price.Eq(dec("19.901")), ""},
		{"decimal ne", f.Price.Ne(dec("19.901")), "full bare"},
		{"decimal lt", f.Price.Lt(dec("19.901")), "full bare"},
		{"decimal lt self", f.Price.Lt(dec("19.90")), "bare"},
		{"decimal gte", f.Price.Gte(dec("19.899")), "full"},
		{"decimal gte above", f.Price.Gte(dec("19.901")), ""},
		{"decimal negative", f.Discount.Gt(dec("-0.00011")), "full"},
		{"decimal negative lt", f.Discount.Lt(dec("-0.00009")), "full"},
		{"decimal far", f.Price.Lt(dec("1e300")), "full bare"},
		{"decimal far below", f.Price.Gt(dec("-1e300")), "full bare"},
		{"decimal in", f.Price.In(dec("19.9"), dec("0.001")), "full"},
		{"null decimal", f.Discount.Ne(dec("0.00001")), "full bare"},
		{"bytes", f.Cover.Eq([]byte{0, 1, 2, 255}), "full"},
		{"bytes in", f.Cover.In([]byte{}, []byte{9}), "bare"},
		{"bytes gt", f.Cover.Gt([]byte{0, 1, 2}), "full"},
		{"id", f.ID.Gt(1), "bare"},
		{"reserved word", f.Order.Eq(1), "full"},
		{"prefix", f.Slug.Prefix("fu"), "full"},
		{"prefix case", f.Slug.Prefix("Fu"), ""},
		{"prefix empty", f.Slug.Prefix(""), "full bare"},
		{"prefix null", f.Body.Prefix(""), "full"},
		{"not prefix", store.Not(f.Body.Prefix("line")), "bare"},
		{"contains", f.Title.Contains("世界"), "full"},
		{"contains case", f.Title.Contains("grüße"), ""},
		{"contains empty", f.Body.Contains(""), "full"},
		{"not contains", store.Not(f.Body.Contains("zzz")), "full bare"},
		{"both", store.And(f.Views.Gte(0), store.Or(f.Slug.Eq("full"), f.Slug.Eq("x"))), "full"},
		{"author", f.Author.In("01ARZ3NDEKTSV4RRFFQ69G5FAV"), ""},
	}
	for _, c := range cases {
		if got := slugs(t, db, c.cond); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		opposite := strings.TrimSpace(strings.Replace(strings.Replace("full bare", c.want, "", 1), "  ", " ", 1))
		if got := slugs(t, db, store.Not(c.cond)); got != opposite {
			t.Errorf("not %s: %q, want %q", c.name, got, opposite)
		}
	}
}

// seed returns random numbers that a failure can be repeated with.
func seed(t *testing.T) *rand.Rand {
	n := rand.Uint64()
	t.Logf("seed %d", n)
	return rand.New(rand.NewPCG(n, 0))
}

var words = []string{"", " ", "a", "a ", "a  ", "a\t", "a\x01", "A", "ä", "ab", "a b", "a%", "a_", "b", "z", "é", "e\u0301", "世", "🎉", "\uFFFD", "\U0010FFFF", "a\U0010FFFF", "\uD7FF", "\uE000", `\`, "'", `"`, "|"}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// somewhat returns a row of few different values, so that filters and sorts meet
// equal ones and nulls.
func somewhat(r *rand.Rand, i int) ArticleNew {
	n := ArticleNew{Slug: fmt.Sprintf("s%04d", i), Title: "Title", Views: store.Int(int64(r.IntN(4)))}
	n.Price = store.Set(dec(fmt.Sprintf("%d.%d", r.IntN(3)-1, r.IntN(3))))
	if r.IntN(3) > 0 {
		n.Body = store.Set(pick(r, words))
	}
	if r.IntN(3) > 0 {
		n.Rank = store.Int(int64(r.IntN(4) - 2))
	}
	if r.IntN(3) > 0 {
		n.EndsAt = store.Set(noon.Add(time.Duration(r.IntN(3)) * time.Microsecond))
	}
	if r.IntN(3) > 0 {
		n.Pinned = store.Set(r.IntN(2) == 0)
	}
	if r.IntN(3) > 0 {
		n.Thumb = store.Set([]byte(pick(r, words)))
	}
	if r.IntN(3) > 0 {
		n.Until = store.Set(store.Date{Year: 2024, Month: 1, Day: 1 + r.IntN(3)})
	}
	if r.IntN(3) > 0 {
		n.Discount = store.Set(dec(fmt.Sprintf("0.000%d", r.IntN(3))))
	}
	return n
}

func fill(t *testing.T, db *DB, r *rand.Rand, n int) []Article {
	t.Helper()
	var ns []ArticleNew
	for i := range n {
		ns = append(ns, somewhat(r, i))
	}
	if _, err := db.Article.CreateMany(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	page, err := db.Article.List(t.Context(), store.Query[ArticleID]{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != n {
		t.Fatalf("%d rows of %d", len(page.Items), n)
	}
	return page.Items
}

// checkedCond is a filter and what it means.
type checkedCond struct {
	text string
	cond store.Cond[ArticleID]
	keep func(*Article) bool
}

func compared[T any](name string, col store.Col[ArticleID, T], get func(*Article) (T, bool), compare func(a, b T) int, v, w T, op int) checkedCond {
	c := checkedCond{text: fmt.Sprintf("%s op%d %v %v", name, op, v, w)}
	value := func(test func(x T) bool) func(*Article) bool {
		return func(a *Article) bool {
			x, ok := get(a)
			return ok && test(x)
		}
	}
	switch op {
	case 0:
		c.cond, c.keep = col.Eq(v), value(func(x T) bool { return compare(x, v) == 0 })
	case 1:
		eq := value(func(x T) bool { return compare(x, v) == 0 })
		c.cond, c.keep = col.Ne(v), func(a *Article) bool { return !eq(a) }
	case 2:
		c.cond, c.keep = col.Lt(v), value(func(x T) bool { return compare(x, v) < 0 })
	case 3:
		c.cond, c.keep = col.Lte(v), value(func(x T) bool { return compare(x, v) <= 0 })
	case 4:
		c.cond, c.keep = col.Gt(v), value(func(x T) bool { return compare(x, v) > 0 })
	case 5:
		c.cond, c.keep = col.Gte(v), value(func(x T) bool { return compare(x, v) >= 0 })
	case 6:
		c.cond, c.keep = col.Between(v, w), value(func(x T) bool { return compare(x, v) >= 0 && compare(x, w) <= 0 })
	case 7:
		c.cond, c.keep = col.In(v, w), value(func(x T) bool { return compare(x, v) == 0 || compare(x, w) == 0 })
	case 8:
		c.cond, c.keep = col.IsNull(), func(a *Article) bool { _, ok := get(a); return !ok }
	default:
		c.cond, c.keep = col.NotNull(), func(a *Article) bool { _, ok := get(a); return ok }
	}
	return c
}

func always[T any](get func(*Article) T) func(*Article) (T, bool) {
	return func(a *Article) (T, bool) { return get(a), true }
}

func nullable[T any](get func(*Article) store.Null[T]) func(*Article) (T, bool) {
	return func(a *Article) (T, bool) { n := get(a); return n.V, n.Valid }
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func randomLeaf(r *rand.Rand) checkedCond {
	op := r.IntN(10)
	number := func() int64 { return int64(r.IntN(5) - 2) }
	switch r.IntN(10) {
	case 0:
		return compared("views", f.Views, always(func(a *Article) int64 { return a.Views }), cmp.Compare, number(), number(), op)
	case 1:
		return compared("rank", f.Rank, nullable(func(a *Article) store.Null[int64] { return a.Rank }), cmp.Compare, number(), number(), op)
	case 2:
		v, w := dec(fmt.Sprintf("0.%d", r.IntN(300))), dec(fmt.Sprintf("-0.%d", r.IntN(300)))
		return compared("price", f.Price, always(func(a *Article) store.Decimal { return a.Price }), store.Decimal.Cmp, v, w, op)
	case 3:
		v, w := dec(fmt.Sprintf("0.000%d", r.IntN(30))), dec(fmt.Sprintf("0.000%d", r.IntN(3)))
		return compared("discount", f.Discount, nullable(func(a *Article) store.Null[store.Decimal] { return a.Discount }), store.Decimal.Cmp, v, w, op)
	case 4:
		at := func() time.Time { return noon.Add(time.Duration(r.IntN(4)) * time.Microsecond) }
		return compared("ends_at", f.EndsAt, nullable(func(a *Article) store.Null[time.Time] { return a.EndsAt }), time.Time.Compare, at(), at(), op)
	case 5:
		on := func() store.Date { return store.Date{Year: 2024, Month: 1, Day: 1 + r.IntN(4)} }
		return compared("until", f.Until, nullable(func(a *Article) store.Null[store.Date] { return a.Until }), store.Date.Compare, on(), on(), op)
	case 6:
		return compared("pinned", f.Pinned, nullable(func(a *Article) store.Null[bool] { return a.Pinned }), compareBool, r.IntN(2) == 0, r.IntN(2) == 0, op)
	case 7:
		return compared("thumb", f.Thumb, nullable(func(a *Article) store.Null[[]byte] { return a.Thumb }), bytes.Compare, []byte(pick(r, words)), []byte(pick(r, words)), op)
	case 8:
		s := pick(r, words)
		if r.IntN(2) == 0 {
			return checkedCond{fmt.Sprintf("prefix %q", s), f.Body.Prefix(s), func(a *Article) bool { return a.Body.Valid && strings.HasPrefix(a.Body.V, s) }}
		}
		return checkedCond{fmt.Sprintf("contains %q", s), f.Body.Contains(s), func(a *Article) bool { return a.Body.Valid && strings.Contains(a.Body.V, s) }}
	}
	return compared("body", f.Body.Col, nullable(func(a *Article) store.Null[string] { return a.Body }), strings.Compare, pick(r, words), pick(r, words), op)
}

func randomCond(r *rand.Rand, depth int) checkedCond {
	if depth == 0 || r.IntN(3) == 0 {
		return randomLeaf(r)
	}
	a, b := randomCond(r, depth-1), randomCond(r, depth-1)
	switch r.IntN(3) {
	case 0:
		return checkedCond{"(" + a.text + " AND " + b.text + ")", store.And(a.cond, b.cond), func(x *Article) bool { return a.keep(x) && b.keep(x) }}
	case 1:
		return checkedCond{"(" + a.text + " OR " + b.text + ")", store.Or(a.cond, b.cond), func(x *Article) bool { return a.keep(x) || b.keep(x) }}
	}
	return checkedCond{"NOT " + a.text, store.Not(a.cond), func(x *Article) bool { return !a.keep(x) }}
}

// testFilterProperty holds random filters against what they mean.
func testFilterProperty(t *testing.T, db *DB) {
	r := seed(t)
	rows := fill(t, db, r, 120)
	for range 300 {
		c := randomCond(r, 4)
		var want []string
		for i := range rows {
			if c.keep(&rows[i]) {
				want = append(want, rows[i].Slug)
			}
		}
		if got := slugs(t, db, c.cond); got != strings.Join(want, " ") {
			t.Fatalf("%s\ngot  %s\nwant %s", c.text, got, strings.Join(want, " "))
		}
	}
}

func testTextOrder(t *testing.T, db *DB) {
	var texts []string
	for i, w := range []string{"a", "a ", "a\x01", "a  b", "", " ", "A", "ä", "b", "B", "é", "e\u0301", "z", "Z", "1", "世", "🎉", "\uFFFD", "aa", "aB", "ß", "ss", "_", "~"} {
		n := ArticleNew{Slug: fmt.Sprintf("s%d", i), Title: "Title", Body: store.Set(w)}
		mustCreate(t, db, n)
		texts = append(texts, w)
	}
	page, err := db.Article.List(t.Context(), store.Query[ArticleID]{Sort: []store.Order[ArticleID]{f.Body.Asc()}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range page.Items {
		got = append(got, a.Body.V)
	}
	slices.Sort(texts)
	if !slices.Equal(got, texts) {
		t.Errorf("order %q, want %q", got, texts)
	}
	for _, w := range texts {
		if n, err := db.Article.Count(t.Context(), f.Body.Lt(w), 0); err != nil || n != slices.Index(texts, w) {
			t.Errorf("%d texts below %q, want %d (%v)", n, w, slices.Index(texts, w), err)
		}
	}
	for _, slug := range []string{"case", "CASE", "cäse", "case\u0301", "case ", "case  ", "case\t"} { // different keys, all of them
		mustCreate(t, db, ArticleNew{Slug: slug, Title: "Title"})
	}
}

// testHostile passes texts that mean something to SQL as values.
func testHostile(t *testing.T, db *DB) {
	hostile := []string{
		`'; DROP TABLE article; --`, `" OR 1=1 --`, "`", `\`, `\'`, `%`, `_`, `%'`, `|`, `||`, `|%`, `a|_b`, `?`, `$1`, `:x`, `@x`,
		`/* */`, `--`, `;`, "\n", "\t", `{"$gt": ""}`, `]`, `[a-z]*`, `*`, `\\%`, `''`, "'||(SELECT 1)||'", "\u2028", "\u202e", `\x27`, "NULL", "0", "1e9",
	}
	for i, h := range hostile {
		n := ArticleNew{Slug: fmt.Sprintf("h%03d", i), Title: "Title", Body: store.Set("<" + h + ">")}
		mustCreate(t, db, n)
	}
	for i, h := range hostile {
		want := fmt.Sprintf("h%03d", i)
		for name, c := range map[string]store.Cond[ArticleID]{
			"eq": f.Body.Eq("<" + h + ">"), "in": f.Body.In("<"+h+">", "x"), "prefix": f.Body.Prefix("<" + h + ">"),
			"contains": f.Body.Contains("<" + h + ">"), "between": f.Body.Between("<"+h+">", "<"+h+">"),
		} {
			if got := slugs(t, db, c); got != want {
				t.Errorf("%s %q: %q, want %q", name, h, got, want)
			}
		}
		if got := slugs(t, db, f.Slug.Eq(h)); got != "" {
			t.Errorf("%q matches %q", h, got)
		}
	}
	for _, bad := range []string{"\x00", "a\x00b", "\xff", "\xed\xa0\x80"} {
		for name, c := range map[string]store.Cond[ArticleID]{"eq": f.Body.Eq(bad), "in": f.Body.In(bad), "prefix": f.Body.Prefix(bad), "contains": f.Body.Contains(bad)} {
			if _, err := db.Article.List(t.Context(), store.Query[ArticleID]{Where: c}); err == nil {
				t.Errorf("%s %q is not refused", name, bad)
			}
		}
	}
}

// testFilterOptions refuses what a select never holds, wherever a filter is taken,
// and says what it holds.
func testFilterOptions(t *testing.T, db *DB) {
	ctx := t.Context()
	made := mustCreate(t, db, full("a"))
	f := ArticleFields
	const no = ArticleStatus("activ")
	for name, c := range map[string]store.Cond[ArticleID]{
		"eq": f.Status.Eq(no), "ne": f.Status.Ne(no), "in": f.Status.In(ArticleStatusDraft, no), "not": store.Not(f.Mood.Eq(no)),
		"less": f.Status.Lt(no), "between": f.Status.Between(ArticleStatusDraft, no), "or": store.Or(f.Slug.Eq("a"), f.Status.Eq(no)),
	} {
		_, list := db.Article.List(ctx, store.Query[ArticleID]{Where: c})
		_, count := db.Article.Count(ctx, c, 0)
		_, exists := db.Article.Exists(ctx, c)
		_, updated := db.Article.UpdateWhere(ctx, c, ArticlePatch{Title: store.Set("other")})
		_, one := db.Article.UpdateIf(ctx, made.ID, c, ArticlePatch{Title: store.Set("other")})
		_, deleted := db.Article.DeleteWhere(ctx, c)
		for call, err := range map[string]error{"List": list, "Count": count, "Exists": exists, "UpdateWhere": updated, "UpdateIf": one, "DeleteWhere": deleted} {
			var bad *store.ValidationError
			if !errors.Is(err, store.ErrInvalid) || !errors.As(err, &bad) || bad.Datatype != "article" || bad.Violations[0].Rule != "options" {
				t.Errorf("%s in %s: %v", name, call, err)
				continue
			}
			v := bad.Violations[0]
			if v.Field != "status" && v.Field != "mood" || !strings.Contains(v.Message, `"activ"`) || !strings.Contains(v.Message, "draft, published") {
				t.Errorf("%s in %s says %s %s", name, call, v.Field, v.Message)
			}
		}
	}
}

// changedArticles are the articles as a program with other definitions has them.
func changedArticles(db *DB, change func(*core.Spec)) Table[Article, ArticleID, ArticleNew, ArticlePatch] {
	s := &core.Spec{
		Name: articleSpec.Name, ID: articleSpec.ID, Columns: slices.Clone(articleSpec.Columns), Keys: articleSpec.Keys,
		Row: articleSpec.Row, Fields: articleSpec.Fields, New: articleSpec.New, Patch: articleSpec.Patch,
	}
	change(s)
	return bind[Article, ArticleID, ArticleNew, ArticlePatch](db.Conn(), s)
}

// testKeyOptions refuses what a select never holds where a row is read by a key.
func testKeyOptions(t *testing.T, db *DB) {
	ctx := t.Context()
	made := mustCreate(t, db, full("a"))
	keyed := changedArticles(db, func(s *core.Spec) { s.Keys = []core.Key{{Name: "article_mood_slug_key", Columns: []int{5, 1}}} })
	if got, err := keyed.GetUnique(ctx, 0, "draft", "a"); err != nil || got.ID != made.ID {
		t.Errorf("by the key: %v, %v", got, err)
	}
	_, err := keyed.GetUnique(ctx, 0, "published", "a")
	wantErr(t, err, store.ErrNotFound)
	_, err = keyed.GetUnique(ctx, 0, "publishd", "a")
	want := store.Violation{Field: "mood", Rule: "options", Message: `is compared with "publishd", which is not one of draft, published`}
	if bad, ok := errors.AsType[*store.ValidationError](err); !ok || bad.Datatype != "article" || !slices.Equal(bad.Violations, []store.Violation{want}) {
		t.Errorf("no option: %v", err)
	}
}

func testFilterLimits(t *testing.T, db *DB) {
	ctx := t.Context()
	mustCreate(t, db, full("a"))
	var many []int64
	for i := range store.MaxIn {
		many = append(many, int64(i))
	}
	if got := slugs(t, db, f.Views.In(many...)); got != "a" {
		t.Errorf("in of %d: %q", len(many), got)
	}
	deep := f.Views.Eq(42)
	for range 10_000 {
		deep = store.Not(store.And(deep))
	}
	wide := make([]store.Cond[ArticleID], 5000)
	for i := range wide {
		wide[i] = f.Views.Eq(1)
	}
	for name, c := range map[string]store.Cond[ArticleID]{"list": f.Views.In(append(many, 1)...), "depth": deep, "size": store.Or(wide...)} {
		_, err := db.Article.List(ctx, store.Query[ArticleID]{Where: c})
		wantErr(t, err, store.ErrInvalid)
		_, err = db.Article.DeleteWhere(ctx, c)
		wantErr(t, err, store.ErrInvalid)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	other := core.FieldOf[ArticleID, int64](1000) // of a datatype with more columns
	_, err := db.Article.List(ctx, store.Query[ArticleID]{Where: other.Eq(1)})
	wantErr(t, err, store.ErrInvalid)
	_, err = db.Article.List(ctx, store.Query[ArticleID]{Sort: []store.Order[ArticleID]{other.Asc()}})
	wantErr(t, err, store.ErrInvalid)
	for _, limit := range []int{-1, store.MaxLimit + 1} {
		_, err := db.Article.List(ctx, store.Query[ArticleID]{Limit: limit})
		wantErr(t, err, store.ErrInvalid)
	}
	_, err = db.Article.CreateMany(ctx, make([]ArticleNew, store.MaxBulk+1))
	wantErr(t, err, store.ErrInvalid)
}
