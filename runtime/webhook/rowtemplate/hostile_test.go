package rowtemplate_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

// hostile are texts that mean something where they should not.
var hostile = []string{
	"", " ", `"`, `\`, `\"`, `"}, "admin": true, {"`, `\u0022`, "'", "</script>", "<!--", "-->", "]]>", "&amp;", "&", "&#34;", "<a>", "</a>",
	"\u2028", "\u2029", "\r\n", "\n", "\t", "\x00", "\x01\x1f\x7f", "\xff", "a\xc3", "\xed\xa0\x80", "\uFFFE", "\U0010FFFF",
	"&admin=1", "=", ";", "%00", "%2e%2e", "+", "/", "//", "../..", "..\\", "?x=1", "#x", "@evil.example", "https://evil.example/", "{{.Token}}", "null", "1",
	"é", "日本", strings.Repeat("x", 1000), strings.Repeat(`"`, 1000),
}

// randomText joins what is hostile with what is random.
func randomText(rnd *rand.Rand) string {
	var b strings.Builder
	for range rnd.IntN(4) {
		if rnd.IntN(2) == 0 {
			b.WriteString(hostile[rnd.IntN(len(hostile))])
			continue
		}
		for range rnd.IntN(8) {
			b.WriteRune(rune(rnd.IntN(0x11_0000)))
		}
	}
	return b.String()
}

func randomJSON(rnd *rand.Rand, depth int) any {
	switch n := rnd.IntN(8); {
	case n < 2 && depth < 20:
		list := []any{}
		for range rnd.IntN(4) {
			list = append(list, randomJSON(rnd, depth+1))
		}
		return list
	case n < 4 && depth < 20:
		object := map[string]any{}
		for range rnd.IntN(4) {
			object[valid(randomText(rnd))] = randomJSON(rnd, depth+1)
		}
		return object
	case n == 4:
		return nil
	case n == 5:
		return rnd.IntN(2) == 0
	case n == 6:
		return float64(rnd.Int64()) / 1000
	}
	return valid(randomText(rnd))
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// eachValid replaces every byte that is no UTF-8 by itself, as encoders do.
func eachValid(s string) string { return string([]rune(s)) }

func randomRow(rnd *rand.Rand) *article {
	tags, err := json.Marshal(randomJSON(rnd, 0))
	if err != nil {
		panic(err)
	}
	row := &article{
		ID: articleID(rnd.Uint64()), Title: randomText(rnd), URL: randomText(rnd), Body: store.Some(randomText(rnd)), Views: int64(rnd.Uint64()),
		Price: decimal.New(rnd.Int64N(2e18)-1e18, -2), Active: rnd.IntN(2) == 0,
		CreatedAt: time.UnixMicro(rnd.Int64N(253402300799e6)).UTC(), Day: store.DateOf(time.Unix(rnd.Int64N(253402300799), 0).UTC()),
		Tags: tags, Blob: []byte(randomText(rnd)),
	}
	row.Body.Valid = rnd.IntN(4) > 0
	return row
}

// rounds calls a test with random rows; the seed is printed.
func rounds(t *testing.T, test func(t *testing.T, row *article)) {
	t.Helper()
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		if test(t, randomRow(rnd)); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestJSONComesBack(t *testing.T) {
	tmpl := compile(t, kJSON, `{"id": {{.ID}}, "title": {{.Title}}, "quoted": "<{{.Title}}>", "key": {"-{{.URL}}": 1}, "body": {{.Body}}, "views": "{{.Views}}",
		"price": {{.Price}}, "active": {{.Active}}, "at": {{.CreatedAt}}, "day": {{.Day}}, "tags": {{json .Tags}}, "inner": "{{.Tags}}", "blob": {{.Blob}}}`)
	rounds(t, func(t *testing.T, row *article) {
		out, err := tmpl.Execute(row)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			ID            int64
			Title, Quoted string
			Key           map[string]int
			Body          *string
			Views         string
			Price         json.Number
			Active        bool
			At            time.Time
			Day           string
			Tags          any
			Inner         string
			Blob          []byte
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		title := eachValid(row.Title)
		if got.ID != int64(row.ID) || got.Title != title || got.Quoted != "<"+title+">" || got.Key["-"+eachValid(row.URL)] != 1 ||
			got.Views != strconv.FormatInt(row.Views, 10) || got.Active != row.Active || !got.At.Equal(row.CreatedAt) || got.Day != row.Day.String() || !bytes.Equal(got.Blob, row.Blob) {
			t.Errorf("%+v became %s", row, out)
		}
		if row.Body.Valid && (got.Body == nil || *got.Body != eachValid(row.Body.V)) || !row.Body.Valid && got.Body != nil {
			t.Errorf("body %+v became %s", row.Body, out)
		}
		if d, err := decimal.NewFromString(got.Price.String()); err != nil || !d.Equal(row.Price) {
			t.Errorf("price %s became %s", row.Price, got.Price)
		}
		var want, inner any
		if json.Unmarshal(row.Tags, &want) != nil || json.Unmarshal([]byte(got.Inner), &inner) != nil || !reflect.DeepEqual(want, got.Tags) || !reflect.DeepEqual(want, inner) {
			t.Errorf("tags %s became %s", row.Tags, out)
		}
		for _, bad := range []string{"<", ">", "&", "\u2028", "\u2029"} {
			if bytes.Contains(bytes.ReplaceAll(bytes.ReplaceAll(out, []byte(`"<`), nil), []byte(`>"`), nil), []byte(bad)) {
				t.Errorf("%s has %q", out, bad)
			}
		}
	})
}

func TestFormComesBack(t *testing.T) {
	tmpl := compile(t, kForm, `title={{.Title}}&id={{.ID}}&key-{{.URL}}=1&price={{.Price}}&body={{.Body}}&tags={{.Tags}}&at={{.CreatedAt}}&blob={{.Blob}}`)
	rounds(t, func(t *testing.T, row *article) {
		out, err := tmpl.Execute(row)
		if err != nil {
			t.Fatal(err)
		}
		got, err := url.ParseQuery(string(out))
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		body := ""
		if row.Body.Valid {
			body = row.Body.V
		}
		want := url.Values{
			"title": {row.Title}, "id": {strconv.FormatInt(int64(row.ID), 10)}, "key-" + row.URL: {"1"}, "price": {row.Price.StringFixed(2)},
			"body": {body}, "tags": got["tags"], "at": {row.CreatedAt.Format(time.RFC3339Nano)}, "blob": {base64.StdEncoding.EncodeToString(row.Blob)},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v\n%v", got, want)
		}
		var tags, wanted any
		if json.Unmarshal([]byte(got.Get("tags")), &tags) != nil || json.Unmarshal(row.Tags, &wanted) != nil || !reflect.DeepEqual(tags, wanted) {
			t.Errorf("tags %s became %s", row.Tags, got.Get("tags"))
		}
	})
}

func TestXMLComesBack(t *testing.T) {
	tmpl := compile(t, kXML, `<article id="{{.ID}}" url='{{.URL}}'><title>{{.Title}}</title><body>a{{.Body}}b</body></article>`)
	rounds(t, func(t *testing.T, row *article) {
		out, err := tmpl.Execute(row)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			XMLName xml.Name   `xml:"article"`
			Attrs   []xml.Attr `xml:",any,attr"`
			ID      int64      `xml:"id,attr"`
			URL     string     `xml:"url,attr"`
			Title   string     `xml:"title"`
			Body    string     `xml:"body"`
			Others  []struct{} `xml:",any"`
		}
		if err := xml.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		body := ""
		if row.Body.Valid {
			body = row.Body.V
		}
		if got.ID != int64(row.ID) || got.URL != inXML(row.URL) || got.Title != inXML(row.Title) || got.Body != "a"+inXML(body)+"b" || len(got.Others)+len(got.Attrs) > 0 {
			t.Errorf("%+v became %s", row, out)
		}
	})
}

// inXML is a text with what XML has no character for replaced.
func inXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, eachValid(s))
}

func TestURLComesBack(t *testing.T) {
	tmpl := compile(t, kURL, `https://a.example/x/{{.Title}}/-{{.URL}}?t={{.Title}}&{{.URL}}=1`)
	rounds(t, func(t *testing.T, row *article) {
		out, err := tmpl.Execute(row)
		if errors.Is(err, rowtemplate.ErrTooLarge) {
			return // whatever the title is: a segment is looked at when it is complete
		}
		if row.Title == "" || row.Title == "." || row.Title == ".." {
			if !errors.Is(err, rowtemplate.ErrValue) {
				t.Errorf("%q: %v", row.Title, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(string(out))
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		query, err := url.ParseQuery(u.RawQuery)
		if err != nil || u.Host != "a.example" || u.User != nil || u.Fragment != "" || u.Path != "/x/"+row.Title+"/-"+row.URL {
			t.Fatalf("%q, %q became %s: %v", row.Title, row.URL, out, err)
		}
		segments := strings.Split(u.EscapedPath(), "/")
		if len(segments) != 4 || query.Get("t") != row.Title && row.URL != "t" || !query.Has(row.URL) || len(query) > 2 {
			t.Errorf("%q, %q became %s", row.Title, row.URL, out)
		}
	})
}

func TestHeaderIsOneLine(t *testing.T) {
	tmpl := compile(t, kHeader, `a{{.Title}}b`)
	rounds(t, func(t *testing.T, row *article) {
		out, err := tmpl.Execute(row)
		if (err == nil) != !strings.ContainsFunc(row.Title, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			t.Fatalf("%q: %v", row.Title, err)
		}
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := (http.Header{"X": {string(out)}}).Write(&b); err != nil || b.String() != "X: a"+row.Title+"b\r\n" {
			t.Errorf("%q became %q: %v", row.Title, b.String(), err)
		}
	})
}

// TestHostile has each of them at each kind of place, and a field of 5 MB.
func TestHostile(t *testing.T) {
	long := strings.Repeat("é\"", 5<<20/3)
	for _, text := range append(hostile, long) {
		row := full()
		row.Title, row.Body.V = text, text
		for _, c := range []struct {
			kind rowtemplate.Kind
			text string
		}{
			{kJSON, `["{{.Title}}", {{.Body}}, {"{{.Title}}": 1}, "{{json .Title}}", {{default "x" .Title}}, {{len .Title}}]`},
			{kForm, `{{.Title}}={{.Body}}`},
			{kXML, `<a x="{{.Title}}" y='{{.Title}}'>{{.Body}}</a>`},
			{kURL, `https://a.example/a{{.Title}}?{{.Body}}`},
			{kHeader, `{{.Title}}`},
			{kText, `{{.Title}}`},
		} {
			out, err := compile(t, c.kind, c.text).Execute(row)
			if text == long {
				if !errors.Is(err, rowtemplate.ErrTooLarge) {
					t.Errorf("%s: %d bytes were made of 5 MB, %v", c.kind, len(out), err)
				}
				continue
			}
			if err == nil {
				err = wellFormed(c.kind, out)
			} else if errors.Is(err, rowtemplate.ErrValue) && c.kind == kHeader {
				err = nil
			}
			if err != nil {
				t.Errorf("%s of %.40q: %v: %.200s", c.kind, text, err, out)
			}
		}
	}
}

// wellFormed reads an output with the parser of its kind.
func wellFormed(kind rowtemplate.Kind, out []byte) error {
	switch kind {
	case kJSON:
		if !json.Valid(out) || !bytes.Equal(out, []byte(valid(string(out)))) {
			return errors.New("no JSON")
		}
	case kForm:
		_, err := url.ParseQuery(string(out))
		return err
	case kXML:
		dec := xml.NewDecoder(bytes.NewReader(out))
		roots, depth := 0, 0
		for {
			token, err := dec.Token()
			switch token.(type) {
			case xml.StartElement:
				if depth++; depth == 1 {
					roots++
				}
			case xml.EndElement:
				depth--
			}
			if errors.Is(err, io.EOF) && roots == 1 {
				return nil
			}
			if err != nil {
				return err
			}
		}
	case kURL:
		_, err := url.Parse(string(out))
		return err
	case kHeader:
		if bytes.ContainsAny(out, "\r\n\x00") {
			return errors.New("several lines")
		}
	}
	return nil
}

// TestSeed has the templates of the first webhooks, as they were written.
func TestSeed(t *testing.T) {
	row := full()
	row.Title = `He said "hi" \o/`
	for text, want := range map[string]string{
		`{"event": "content_published", "id": {{.ID}}, "title": "{{.Title}}", "url": "{{.URL}}"}`: `{"event":"content_published","id":7,"title":"He said \"hi\" \\o/","url":"https://example.com/a?b=c\u0026d"}`,
		`{"files": ["{{.URL}}"]}`: `{"files":["https://example.com/a?b=c\u0026d"]}`,
		`{"requests": [{"action": "addObject", "body": {"objectID": "{{.ID}}", "title": "{{.Title}}", "content": "{{.Body}}"}}]}`: `{"requests":[{"action":"addObject","body":{"objectID":"7","title":"He said \"hi\" \\o/","content":"\u003cp\u003eHi\u003c/p\u003e"}}]}`,
		`{"id": {{.ID}}, "title": "{{.Title}}", "tags": {{json .Tags}}}`:                                                          `{"id":7,"title":"He said \"hi\" \\o/","tags":["a",{"b":"\u003c"}]}`,
	} {
		var got bytes.Buffer
		if err := json.Compact(&got, []byte(render(t, kJSON, text, row))); err != nil || got.String() != want {
			t.Errorf("%s:\n got  %s\n want %s", text, got.String(), want)
		}
	}
}

// FuzzTemplate looks for a template and values that panic, exceed the limit, or make
// what is not of the kind.
func FuzzTemplate(f *testing.F) {
	for kind, text := range map[rowtemplate.Kind]string{
		kJSON:   `{"a": {{.ID}}, "b{{.Title}}": [{{json .Tags}}{{if .Active}}, {{.Body}}{{else if lt .Views 5}}, -1.5e3{{end}}], "c": "\u00e9{{with .Body}}{{.}}{{end}}"}`,
		kForm:   `a={{.Title}}&b=%20{{default "x" .Body}}`,
		kXML:    `<?xml version="1.0"?><a x="{{.Title}}"{{if .Active}} y='&lt;'{{end}}><!-- c --><b/>{{.Body}}&#10;</a>`,
		kText:   `{{len .Title}} {{or .Body (date "2006" .CreatedAt)}} {{not (eq .ID 7 8)}}`,
		kURL:    `https://a.example/{{.Title}}/x{{if .Active}}?a={{.Body}}{{end}}`,
		kHeader: `Bearer {{.Title | json}}`,
	} {
		f.Add(uint8(kind), text, `Tom & "Jerry"`, "</a>", `{"a": [1]}`, int64(1))
	}
	f.Add(uint8(kXML), `<a {{if .Active}}x="1"{{else}}y=''{{end}} z="{{.ID}}"/>`, "]]>", "\x00", `null`, int64(2))
	f.Add(uint8(kJSON), `{{/* c */}}[{{- if .Title}}{"a{{.Title}}": 1}{{- end}}]`, "\xff", "\u2028", `[[[[]]]]`, int64(0))
	f.Fuzz(func(t *testing.T, kind uint8, text, title, body, tags string, n int64) {
		const limit = 4096
		tmpl, err := rowtemplate.Compile(rowtemplate.Kind((kind-1)%6)+kJSON, text, articles, rowtemplate.Options{MaxOutput: limit})
		if err != nil {
			wrong, ok := errors.AsType[*rowtemplate.Error](err)
			if !ok || wrong.Line < 1 || wrong.Column < 0 || !errors.Is(err, store.ErrInvalid) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		row := full()
		row.Title, row.Body, row.Tags, row.Views, row.Active = title, store.Null[string]{V: body, Valid: n%3 != 0}, store.JSON(tags), n, n%2 == 0
		for _, row := range []*article{row, {}, full()} {
			out, err := tmpl.Execute(row)
			if err != nil {
				if !errors.Is(err, rowtemplate.ErrTooLarge) && !errors.Is(err, rowtemplate.ErrValue) || out != nil {
					t.Fatalf("%v", err)
				}
				continue
			}
			if len(out) > limit {
				t.Fatalf("%d bytes", len(out))
			}
			if err := wellFormed(tmpl.Kind(), out); err != nil {
				t.Fatalf("%s %q made %q: %v", tmpl.Kind(), text, out, err)
			}
			if again, err := tmpl.Execute(row); err != nil || !bytes.Equal(out, again) {
				t.Fatalf("%q, and then %q, %v", out, again, err)
			}
		}
	})
}

func BenchmarkExecute(b *testing.B) {
	tmpl := compile(b, kJSON, `{"event": "content_published", "id": {{.ID}}, "title": "{{.Title}}", "url": "{{.URL}}"}`)
	row := full()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tmpl.Execute(row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compile(b, kJSON, `{"event": "content_published", "id": {{.ID}}, "title": "{{.Title}}", "url": "{{.URL}}"}`)
	}
}
