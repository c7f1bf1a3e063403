// Package rowtemplate makes the URL, the headers and the body of a webhook from a row, by
// templates that users write. They are Go templates with the names of a row's Go
// fields; what is escaped, and how, follows from what they make.
//
//	row, err := rowtemplate.RowOf(new(generated.Article), spec.Columns)
//	t, err := rowtemplate.Compile(rowtemplate.JSON, `{"id": {{.ID}}, "title": "{{.Title}}"}`, row, rowtemplate.Options{})
//	body, err := t.Execute(article)
//
// [Compile] refuses, with its line and column, what could go wrong later: a field that
// is misspelt, a value where none can stand, JSON that would not be JSON in one of its
// branches. [Template.Execute] then fails only for what the row's values are.
//
// # What a template may have
//
//	{{.Title}}                          the value of a field
//	{{json .Tags}}                      the same as JSON
//	{{default "none" .Note}}            another value for null and for no text
//	{{date "2006-01-02" .CreatedAt}}    a datetime in UTC, or a date, by a layout of package time
//	{{len .Title}}                      the characters of a text, the bytes of bytes, the items of JSON
//	{{if eq .Status "draft"}}...{{else if .Active}}...{{else}}...{{end}}
//	{{with .Note}}...{{.}}...{{$.ID}}...{{else}}...{{end}}
//	{{.CreatedAt | date "15:04"}}       the same as a call
//	{{- .Title -}}  {{/* a comment */}}  {{"text"}}
//
// Comparisons are eq, ne, lt, le, gt, ge, of values of one type; and, or and not join
// them. A null prints nothing, or null where a JSON value stands; it equals null, and is
// neither less nor more than anything. Empty is what is null, false, 0, no text, an
// empty list or an empty object.
//
// There are no variables, no range, no define, no methods, no fields of fields and no
// function that prints or escapes: a template is executed once from its beginning to
// its end, whose length therefore bounds its steps, and its output depends on nothing
// but the row.
//
// # How values are escaped
//
//	Kind     Where                          How
//	JSON     within quotes                  as part of the text; JSON as its own text
//	         elsewhere                      as a whole value: "text", 5, 19.90, true, null, {...}
//	Form     anywhere                       as a key or a value is (url.QueryEscape)
//	XML      in content and in attributes   as characters; U+FFFD for what XML does not have
//	URL      in the path                    as a part of it (url.PathEscape); empty, . and .. are refused
//	         behind ?                       as a key or a value is
//	Header   anywhere                       as it is; control characters are refused
//	Text     anywhere                       as it is
//
// In JSON and XML no value stands elsewhere: in place of a key without quotes, in a
// comment, in the name of a tag. A URL begins with a scheme and a host that are written
// out, because a row must not choose where a request goes.
//
// A number is its digits, a decimal has the digits of its column, a float is as in JSON, a datetime is RFC 3339
// in UTC, a date is 2006-01-02, bytes are base64. Bytes that are no UTF-8 become U+FFFD in
// JSON and XML.
//
// # Secrets
//
// A field that is secret is refused: what a webhook sends leaves the program, and is
// shown in its log of deliveries. What the receiver has to know belongs into a header of
// the webhook, which is a secret of its own. Secrets within a json field with declared
// fields are masked, as in every other JSON of them. No error has anything of a row's
// values.
//
// # Limits
//
// A template has at most 64 KiB, and 100 branches, parentheses, objects or elements
// within one another. Its output has at most Options.MaxOutput, and it reads at most 64
// MiB of the row, each use of a field counted.
package rowtemplate
