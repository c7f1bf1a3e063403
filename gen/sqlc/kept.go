package sqlc

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/sqlc/shape"
)

// Kept is the name of the file in this folder that holds what the module itself
// keeps, so that a project needs sqlc for its own queries only: a line for each
// part of generated statements that sqlc and SQLite accepted (see shape), for each
// rehearsal that passed, and for each analysis of the queries that a new project
// starts with. `make generate` writes it, and `make stale` fails when it is out of
// date.
const Kept = "kept.txt"

//go:embed kept.txt
var keptText string

// The first words of Kept's lines.
const (
	keptVersions  = "versions"  // versions KEY: what the lines of parts hold for
	keptPart      = "part"      // part DATABASE CLAUSE: FORM
	keptWhole     = "whole"     // whole KEY: a generated query that its parts do not prove
	keptRehearsal = "rehearsal" // rehearsal KEY
	keptQuery     = "query"     // query KEY JSON
)

// kept is what the module keeps. A nil *kept keeps nothing.
type kept struct {
	lines    map[string]bool // all but those of analyses
	analyses map[string][]Analysed
}

// builtIn is the embedded file. A damaged line counts as absent, and so do all parts
// when they are of other versions.
var builtIn = sync.OnceValue(func() *kept { return readKept(keptText) })

func readKept(text string) *kept {
	k := &kept{lines: map[string]bool{}, analyses: map[string][]Analysed{}}
	current := strings.Contains(text, versionsLine()+"\n")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch first, rest, _ := strings.Cut(line, " "); {
		case first == keptPart && !current:
		case first == keptPart, first == keptWhole, first == keptRehearsal:
			k.lines[line] = true
		case first == keptQuery:
			key, data, _ := strings.Cut(rest, " ")
			var list []Analysed
			if json.Unmarshal([]byte(data), &list) == nil {
				k.analyses[key] = list
			}
		}
	}
	return k
}

func versionsLine() string { return keptVersions + " " + newHash().key() }

func (k *kept) analysis(key string) ([]Analysed, bool) {
	if k == nil {
		return nil, false
	}
	list, ok := k.analyses[key]
	return list, ok
}

func (k *kept) passed(rehearsal string) bool { return k.knows(keptRehearsal + " " + rehearsal) }

func (k *kept) knows(line string) bool { return k != nil && k.lines[line] }

// unproven returns the generated units of which something is not proven by what
// is kept, and how many queries the others have.
func (a Analyser) unproven(generated []*unit) (open []*unit, proven int) {
	if a.Anew {
		return generated, 0
	}
	k := builtIn()
	for _, u := range generated {
		if u.proven(k) {
			proven += len(u.queries)
		} else {
			open = append(open, u)
		}
	}
	return open, proven
}

func (u *unit) proven(k *kept) bool {
	for _, key := range u.proofs() {
		if !k.knows(key) {
			return false
		}
	}
	return true
}

// keep returns the lines of a run, sorted.
func keep(generated, own []*unit, known map[*unit][]Analysed, tables []Table, queries []*UserQuery) []string {
	out := []string{versionsLine()}
	for _, u := range generated {
		out = append(out, u.proofs()...)
	}
	for _, u := range own {
		data, err := json.Marshal(known[u])
		if err != nil {
			panic(fmt.Sprintf("gen/sqlc: %v", err)) // texts and numbers
		}
		out = append(out, keptQuery+" "+u.key()+" "+string(data))
	}
	for _, q := range queries {
		out = append(out, keptRehearsal+" "+rehearsalKey(rehearsal(tables, q)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// proofs are the lines of Kept that together prove a generated unit.
func (u *unit) proofs() []string {
	schema := shape.Read(u.database, lexed(u.database), u.schema)
	parts := schema.Parts()
	var out []string
	for _, q := range u.queries {
		of, ok := schema.Query(q)
		if !ok {
			out = append(out, keptWhole+" "+u.exact(q))
			continue
		}
		parts = append(parts, of...)
	}
	for _, p := range parts {
		out = append(out, keptPart+" "+string(u.database)+" "+p)
	}
	return out
}

// lexed returns a database's lexer, as shapes want it.
func lexed(db model.Database) shape.Lex {
	return func(sql string) ([]shape.Token, bool) {
		tokens, unended := newLexer(sql, []model.Database{db}).tokens()
		if unended != nil {
			return nil, false
		}
		var out []shape.Token
		for _, t := range tokens {
			if t.kind == space {
				continue
			}
			k, ok := shapeKinds[t.kind]
			if !ok {
				return nil, false
			}
			out = append(out, shape.Token{Kind: k, Text: t.text})
		}
		return out, true
	}
}

var shapeKinds = map[kind]shape.Kind{
	word: shape.Word, quoted: shape.Quoted, str: shape.Literal, positional: shape.Parameter, other: shape.Mark, semicolon: shape.Mark,
}

// exact is the key of a query that is proven as it stands, and not by its parts.
func (u *unit) exact(q model.Query) string {
	h := newHash()
	h.add(string(u.database))
	h.add(u.schema...)
	h.add(q.Command, q.Text)
	for _, list := range [][]*model.Field{q.Params, q.Columns} {
		h.add(fmt.Sprint(len(list)))
		for _, f := range list {
			if f == nil {
				h.add("-")
			} else {
				h.add("+" + f.Name)
			}
		}
	}
	return h.key()
}
