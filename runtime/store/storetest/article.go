package storetest

import (
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// ArticleID is the id of an article: an integer.
type ArticleID int64

// ArticleStatus is a select.
type ArticleStatus string

// The statuses.
const (
	ArticleStatusDraft     ArticleStatus = "draft"
	ArticleStatusPublished ArticleStatus = "published"
)

// Meta is a JSON column's Go type.
type Meta struct {
	Tags  []string          `json:"tags"`
	Extra map[string]string `json:"extra,omitempty"`
}

// Article has a column of every kind, and each kind once more as one that may
// be null.
type Article struct {
	ID        ArticleID
	Slug      string
	Title     string
	Body      store.Null[string]
	Status    ArticleStatus
	Mood      store.Null[ArticleStatus]
	Views     int64
	Rank      store.Null[int64]
	Price     store.Decimal
	Discount  store.Null[store.Decimal]
	Public    bool
	Pinned    store.Null[bool]
	CreatedAt time.Time
	EndsAt    store.Null[time.Time]
	Day       store.Date
	Until     store.Null[store.Date]
	Data      store.JSON
	Raw       store.Null[store.JSON]
	Meta      Meta
	More      store.Null[Meta]
	Cover     []byte
	Thumb     store.Null[[]byte]
	Author    store.Null[AuthorID]
	Token     string
	Order     int64
}

// ArticleNew is a new article.
type ArticleNew struct {
	Slug      string
	Title     string
	Body      store.Opt[string]
	Status    store.Opt[ArticleStatus]
	Mood      store.Opt[ArticleStatus]
	Views     store.Opt[int64]
	Rank      store.Opt[int64]
	Price     store.Opt[store.Decimal]
	Discount  store.Opt[store.Decimal]
	Public    store.Opt[bool]
	Pinned    store.Opt[bool]
	CreatedAt store.Opt[time.Time]
	EndsAt    store.Opt[time.Time]
	Day       store.Opt[store.Date]
	Until     store.Opt[store.Date]
	Data      store.Opt[store.JSON]
	Raw       store.Opt[store.JSON]
	Meta      store.Opt[Meta]
	More      store.Opt[Meta]
	Cover     store.Opt[[]byte]
	Thumb     store.Opt[[]byte]
	Author    store.Opt[AuthorID]
	Token     store.Opt[string]
	Order     store.Opt[int64]
}

// ArticlePatch changes an article.
type ArticlePatch struct {
	Slug      store.Opt[string]
	Title     store.Opt[string]
	Body      store.Opt[string]
	Status    store.Opt[ArticleStatus]
	Mood      store.Opt[ArticleStatus]
	Views     store.Opt[int64]
	Rank      store.Opt[int64]
	Price     store.Opt[store.Decimal]
	Discount  store.Opt[store.Decimal]
	Public    store.Opt[bool]
	Pinned    store.Opt[bool]
	CreatedAt store.Opt[time.Time]
	EndsAt    store.Opt[time.Time]
	Day       store.Opt[store.Date]
	Until     store.Opt[store.Date]
	Data      store.Opt[store.JSON]
	Raw       store.Opt[store.JSON]
	Meta      store.Opt[Meta]
	More      store.Opt[Meta]
	Cover     store.Opt[[]byte]
	Thumb     store.Opt[[]byte]
	Author    store.Opt[AuthorID]
	Token     store.Opt[string]
	Order     store.Opt[int64]
}

// ArticleFields are the columns, for filters and sorts.
var ArticleFields = struct {
	ID        store.Col[ArticleID, ArticleID]
	Slug      store.TextCol[ArticleID, string]
	Title     store.TextCol[ArticleID, string]
	Body      store.TextCol[ArticleID, string]
	Status    store.TextCol[ArticleID, ArticleStatus]
	Mood      store.TextCol[ArticleID, ArticleStatus]
	Views     store.Col[ArticleID, int64]
	Rank      store.Col[ArticleID, int64]
	Price     store.Col[ArticleID, store.Decimal]
	Discount  store.Col[ArticleID, store.Decimal]
	Public    store.Col[ArticleID, bool]
	Pinned    store.Col[ArticleID, bool]
	CreatedAt store.Col[ArticleID, time.Time]
	EndsAt    store.Col[ArticleID, time.Time]
	Day       store.Col[ArticleID, store.Date]
	Until     store.Col[ArticleID, store.Date]
	Data      store.OpaqueCol[ArticleID]
	Raw       store.OpaqueCol[ArticleID]
	Meta      store.OpaqueCol[ArticleID]
	More      store.OpaqueCol[ArticleID]
	Cover     store.Col[ArticleID, []byte]
	Thumb     store.Col[ArticleID, []byte]
	Author    store.Col[ArticleID, AuthorID]
	Token     store.TextCol[ArticleID, string]
	Order     store.Col[ArticleID, int64]
}{
	core.FieldOf[ArticleID, ArticleID](0), core.TextOf[ArticleID, string](1), core.TextOf[ArticleID, string](2),
	core.TextOf[ArticleID, string](3), core.TextOf[ArticleID, ArticleStatus](4), core.TextOf[ArticleID, ArticleStatus](5),
	core.FieldOf[ArticleID, int64](6), core.FieldOf[ArticleID, int64](7), core.FieldOf[ArticleID, store.Decimal](8),
	core.FieldOf[ArticleID, store.Decimal](9), core.FieldOf[ArticleID, bool](10), core.FieldOf[ArticleID, bool](11),
	core.FieldOf[ArticleID, time.Time](12), core.FieldOf[ArticleID, time.Time](13), core.FieldOf[ArticleID, store.Date](14),
	core.FieldOf[ArticleID, store.Date](15), core.OpaqueOf[ArticleID](16), core.OpaqueOf[ArticleID](17),
	core.OpaqueOf[ArticleID](18), core.OpaqueOf[ArticleID](19), core.FieldOf[ArticleID, []byte](20),
	core.FieldOf[ArticleID, []byte](21), core.FieldOf[ArticleID, AuthorID](22), core.TextOf[ArticleID, string](23),
	core.FieldOf[ArticleID, int64](24),
}

func kind(k check.Kind) check.Rules { return check.Rules{Kind: k} }

var (
	textTypes     = [3]string{"TEXT", "text", "longtext"}
	shortTypes    = [3]string{"TEXT", "character varying(100)", "varchar(100)"}
	intTypes      = [3]string{"INTEGER", "bigint", "bigint"}
	boolTypes     = [3]string{"INTEGER", "boolean", "tinyint(1)"}
	timeTypes     = [3]string{"TEXT", "timestamp with time zone", "datetime(6)"}
	dateTypes     = [3]string{"TEXT", "date", "date"}
	jsonTypes     = [3]string{"TEXT", "jsonb", "json"}
	bytesTypes    = [3]string{"BLOB", "bytea", "longblob"}
	priceTypes    = [3]string{"INTEGER", "numeric(18,2)", "decimal(18,2)"}
	discountTypes = [3]string{"INTEGER", "numeric(18,4)", "decimal(18,4)"}
)

var articleSpec = core.Spec{
	Name: "article",
	ID:   core.IDInteger,
	Columns: []core.Column{
		{Name: "id", Rules: kind(check.Int), Types: intTypes},
		{Name: "slug", Rules: check.Rules{Kind: check.Text, Required: true, Max: check.At("100")}, Types: shortTypes},
		{Name: "title", Rules: check.Rules{Kind: check.Text, Required: true, Min: check.At("2"), Max: check.At("100")}, Types: shortTypes},
		{Name: "body", Rules: kind(check.Text), Null: true, Types: textTypes},
		{Name: "status", Rules: check.Rules{Kind: check.Text, Options: []string{"draft", "published"}}, Types: shortTypes},
		{Name: "mood", Rules: check.Rules{Kind: check.Text, Options: []string{"draft", "published"}}, Null: true, Types: shortTypes},
		{Name: "views", Rules: check.Rules{Kind: check.Int, Min: check.At("0")}, Types: intTypes},
		{Name: "rank", Rules: kind(check.Int), Null: true, Types: intTypes},
		{Name: "price", Rules: check.Rules{Kind: check.Decimal, Scale: 2}, Types: priceTypes},
		{Name: "discount", Rules: check.Rules{Kind: check.Decimal, Scale: 4}, Null: true, Types: discountTypes},
		{Name: "public", Rules: kind(check.Bool), Types: boolTypes},
		{Name: "pinned", Rules: kind(check.Bool), Null: true, Types: boolTypes},
		{Name: "created_at", Rules: kind(check.Time), Types: timeTypes},
		{Name: "ends_at", Rules: kind(check.Time), Null: true, Types: timeTypes},
		{Name: "day", Rules: kind(check.Date), Types: dateTypes},
		{Name: "until", Rules: kind(check.Date), Null: true, Types: dateTypes},
		{Name: "data", Rules: kind(check.JSON), Types: jsonTypes},
		{Name: "raw", Rules: kind(check.JSON), Null: true, Types: jsonTypes},
		{Name: "meta", Rules: kind(check.JSON), Types: jsonTypes},
		{Name: "more", Rules: kind(check.JSON), Null: true, Types: jsonTypes},
		{Name: "cover", Rules: kind(check.Bytes), Types: bytesTypes},
		{Name: "thumb", Rules: kind(check.Bytes), Null: true, Types: bytesTypes},
		{Name: "author", Rules: kind(check.Text), Null: true, Types: [3]string{"TEXT", "character(26)", "char(26)"}},
		{Name: "token", Rules: check.Rules{Kind: check.Text, Secret: true, Max: check.At("20")}, Types: shortTypes},
		{Name: "order", Rules: kind(check.Int), Types: intTypes},
	},
	Keys: []core.Key{{Name: "article_slug_key", Columns: []int{1}}},
	Row:  func() any { return new(Article) },
	Fields: func(row any, buf []any) []any {
		r := row.(*Article)
		return append(
			buf, (*int64)(&r.ID), &r.Slug, &r.Title, &r.Body, (*string)(&r.Status), &r.Mood, &r.Views, &r.Rank,
			core.DecimalField(&r.Price, 2), core.NullDecimalField(&r.Discount, 4), &r.Public, &r.Pinned,
			&r.CreatedAt, &r.EndsAt, &r.Day, &r.Until, &r.Data, &r.Raw, core.JSONField(&r.Meta),
			core.NullJSONField(&r.More), &r.Cover, &r.Thumb, &r.Author, &r.Token, &r.Order,
		)
	},
	New: func(given, row any, m *core.Mask, now time.Time) {
		n, r := given.(*ArticleNew), row.(*Article)
		r.Slug = n.Slug
		m.Add(1)
		r.Title = n.Title
		m.Add(2)
		core.PutNull(m, 3, &r.Body, n.Body)
		core.Put(m, 4, &r.Status, n.Status, ArticleStatusDraft)
		core.PutNull(m, 5, &r.Mood, n.Mood)
		core.Put(m, 6, &r.Views, n.Views, 0)
		core.PutNull(m, 7, &r.Rank, n.Rank)
		core.Put(m, 8, &r.Price, n.Price, store.Decimal{})
		core.PutNull(m, 9, &r.Discount, n.Discount)
		core.Put(m, 10, &r.Public, n.Public, true)
		core.PutNull(m, 11, &r.Pinned, n.Pinned)
		core.Put(m, 12, &r.CreatedAt, n.CreatedAt, now)
		core.PutNull(m, 13, &r.EndsAt, n.EndsAt)
		core.Put(m, 14, &r.Day, n.Day, store.DateOf(now))
		core.PutNull(m, 15, &r.Until, n.Until)
		core.Put(m, 16, &r.Data, n.Data, store.JSON(`{}`))
		core.PutNull(m, 17, &r.Raw, n.Raw)
		core.Put(m, 18, &r.Meta, n.Meta, Meta{})
		core.PutNull(m, 19, &r.More, n.More)
		core.Put(m, 20, &r.Cover, n.Cover, []byte{})
		core.PutNull(m, 21, &r.Thumb, n.Thumb)
		core.PutNull(m, 22, &r.Author, n.Author)
		core.Put(m, 23, &r.Token, n.Token, "")
		core.Put(m, 24, &r.Order, n.Order, 0)
	},
	Patch: func(patch, row any, m *core.Mask) {
		p, r := patch.(*ArticlePatch), row.(*Article)
		core.Patch(m, 1, &r.Slug, p.Slug)
		core.Patch(m, 2, &r.Title, p.Title)
		core.PutNull(m, 3, &r.Body, p.Body)
		core.Patch(m, 4, &r.Status, p.Status)
		core.PutNull(m, 5, &r.Mood, p.Mood)
		core.Patch(m, 6, &r.Views, p.Views)
		core.PutNull(m, 7, &r.Rank, p.Rank)
		core.Patch(m, 8, &r.Price, p.Price)
		core.PutNull(m, 9, &r.Discount, p.Discount)
		core.Patch(m, 10, &r.Public, p.Public)
		core.PutNull(m, 11, &r.Pinned, p.Pinned)
		core.Patch(m, 12, &r.CreatedAt, p.CreatedAt)
		core.PutNull(m, 13, &r.EndsAt, p.EndsAt)
		core.Patch(m, 14, &r.Day, p.Day)
		core.PutNull(m, 15, &r.Until, p.Until)
		core.Patch(m, 16, &r.Data, p.Data)
		core.PutNull(m, 17, &r.Raw, p.Raw)
		core.Patch(m, 18, &r.Meta, p.Meta)
		core.PutNull(m, 19, &r.More, p.More)
		core.Patch(m, 20, &r.Cover, p.Cover)
		core.PutNull(m, 21, &r.Thumb, p.Thumb)
		core.PutNull(m, 22, &r.Author, p.Author)
		core.Patch(m, 23, &r.Token, p.Token)
		core.Patch(m, 24, &r.Order, p.Order)
	},
}

var articleTable = articleSpec.TableDef(
	core.Index{Name: "article_slug_key", Columns: []int{1}, Unique: true},
	core.Index{Name: "article_status_created_at_idx", Columns: []int{4, 12}, Desc: []bool{false, true}},
	core.Index{Name: "article_pinned_idx", Columns: []int{11}, Partial: true},
)

// ArticleSpec describes the articles, for tests of what knows a datatype by its Spec alone.
func ArticleSpec() *core.Spec { return &articleSpec }
