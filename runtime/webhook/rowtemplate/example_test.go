package rowtemplate_test

import (
	"fmt"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

type post struct {
	ID    int64
	Title string
	Tags  store.JSON
	Key   string
}

var postColumns = []core.Column{
	{Name: "id", Rules: check.Rules{Kind: check.Int}},
	{Name: "title", Rules: check.Rules{Kind: check.Text}},
	{Name: "tags", Rules: check.Rules{Kind: check.JSON}},
	{Name: "key", Rules: check.Rules{Kind: check.Text, Secret: true}},
}

// In a program, the row and the columns are those of a Spec.
func Example() {
	posts, err := rowtemplate.RowOf(new(post), postColumns)
	if err != nil {
		fmt.Println(err)
		return
	}
	row := &post{ID: 7, Title: `"Hello", she said`, Tags: []byte(`["a", "b"]`)}
	for _, t := range []struct {
		kind rowtemplate.Kind
		text string
	}{
		{rowtemplate.JSON, `{"id": {{.ID}}, "title": "{{.Title}}", "tags": {{json .Tags}}}`},
		{rowtemplate.Form, `id={{.ID}}&title={{.Title}}`},
		{rowtemplate.XML, `<post id="{{.ID}}"><title>{{.Title}}</title></post>`},
		{rowtemplate.URL, `https://search.example.com/posts/{{.ID}}?title={{.Title}}`},
		{rowtemplate.Header, `post-{{.ID}}`},
	} {
		tmpl, err := rowtemplate.Compile(t.kind, t.text, posts, rowtemplate.Options{})
		if err != nil {
			fmt.Println(err)
			return
		}
		out, err := tmpl.Execute(row)
		fmt.Println(string(out), err)
	}
	// Output:
	// {"id": 7, "title": "\"Hello\", she said", "tags": ["a","b"]} <nil>
	// id=7&title=%22Hello%22%2C+she+said <nil>
	// <post id="7"><title>&#34;Hello&#34;, she said</title></post> <nil>
	// https://search.example.com/posts/7?title=%22Hello%22%2C+she+said <nil>
	// post-7 <nil>
}

// What is refused when a user saves a template.
func ExampleCompile() {
	posts, err := rowtemplate.RowOf(new(post), postColumns)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{
		`{"title": "{{.Titel}}"}`,
		`{"key": "{{.Key}}"}`,
		`{"title": "{{printf "%s" .Title}}"}`,
		`{"id": {{.ID}}{{if .Title}} "title": {{.Title}}{{end}}}`,
	} {
		_, err := rowtemplate.Compile(rowtemplate.JSON, text, posts, rowtemplate.Options{})
		fmt.Println(err)
	}
	_, err = rowtemplate.Compile(rowtemplate.URL, `https://{{.Title}}/`, posts, rowtemplate.Options{})
	fmt.Println(err)
	// Output:
	// rowtemplate: 1:14: there is no field "Titel"; fields are Title, ID, Tags
	// rowtemplate: 1:12: Key is secret, and what a webhook sends leaves the program; keep the receiver's secrets in its headers
	// rowtemplate: 1:14: printf is not there: write text and values one after another
	// rowtemplate: 1:29: a comma is missing here
	// rowtemplate: 1:9: the host must be written out and end with /, before any value or branch
}
