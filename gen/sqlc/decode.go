package sqlc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Analysed is what sqlc knows about a query on one database.
type Analysed struct {
	Name    string   `json:"n"`
	Command string   `json:"c"` // ":one", ...
	Text    string   `json:"t"` // the statement, with every * written out
	Params  []Param  `json:"p,omitempty"`
	Columns []Column `json:"r,omitempty"`
}

// Param is a parameter of a query, in the order of the placeholders.
type Param struct {
	Number int    `json:"i"` // as PostgreSQL counts: $1 is 1
	Column Column `json:"c"` // the column it is compared with or written to, as far as known
}

// Column is a column of a result, or the one behind a parameter.
type Column struct {
	Name     string `json:"n"`
	Original string `json:"o,omitempty"` // its name in the table; "" for an expression
	Table    string `json:"b,omitempty"`
	Type     string `json:"t"` // as the database's parser calls it: "pg_catalog.int8", "TEXT", "any"
	NotNull  bool   `json:"k,omitempty"`
}

// The part of sqlc's JSON that is read.
type (
	rawQuery struct {
		Text    string      `json:"text"`
		Name    string      `json:"name"`
		Command string      `json:"cmd"`
		Columns []rawColumn `json:"columns"`
		Params  []struct {
			Number int       `json:"number"`
			Column rawColumn `json:"column"`
		} `json:"params"`
	}
	rawColumn struct {
		Name     string   `json:"name"`
		NotNull  bool     `json:"not_null"`
		Array    bool     `json:"is_array"`
		Original string   `json:"original_name"`
		Table    *rawName `json:"table"`
		Type     *rawName `json:"type"`
	}
	rawName struct {
		Schema string `json:"schema"`
		Name   string `json:"name"`
	}
)

// queriesMark begins the part that is wanted. sqlc indents by two spaces, so
// that only a key of the outermost object stands like this; what is before it,
// PostgreSQL's own catalog, is 2 MB that need not be decoded.
var queriesMark = []byte("\n  \"queries\": ")

// decode reads the queries out of the JSON that sqlc wrote.
func decode(data []byte) ([]Analysed, error) {
	at := bytes.Index(data, queriesMark)
	if at < 0 {
		return nil, errors.New("sqlc's answer holds no queries")
	}
	dec := json.NewDecoder(bytes.NewReader(data[at+len(queriesMark):]))
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("sqlc's answer: %w", err)
	}
	var out []Analysed
	for dec.More() {
		var q rawQuery
		if err := dec.Decode(&q); err != nil {
			return nil, fmt.Errorf("sqlc's answer: %w", err)
		}
		out = append(out, q.analysed())
	}
	return out, nil
}

func (q *rawQuery) analysed() Analysed {
	a := Analysed{Name: q.Name, Command: q.Command, Text: q.Text}
	for _, c := range q.Columns {
		a.Columns = append(a.Columns, c.column())
	}
	for _, p := range q.Params {
		a.Params = append(a.Params, Param{Number: p.Number, Column: p.Column.column()})
	}
	return a
}

func (c rawColumn) column() Column {
	out := Column{Name: c.Name, Original: c.Original, NotNull: c.NotNull}
	if c.Table != nil {
		out.Table = c.Table.Name
	}
	if c.Type != nil {
		out.Type = c.Type.Name
	}
	if c.Array {
		out.Type += "[]"
	}
	return out
}
