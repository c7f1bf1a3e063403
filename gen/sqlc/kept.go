package sqlc

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hegner123/modulagen/gen/model"
)

// Kept is the name of the file in this folder that holds what the module itself
// keeps, so that a new project needs no sqlc: a line for each shape of a
// generated query that sqlc and SQLite agreed to, for each rehearsal that
// passed, and for each analysis of the queries that a new project starts with.
// `make generate` writes it, and `make stale` fails when it is out of date.
const Kept = "kept.txt"

//go:embed kept.txt
var keptText string

// The first words of Kept's lines.
const (
	keptShape     = "shape"     // shape KEY
	keptRehearsal = "rehearsal" // rehearsal KEY
	keptQuery     = "query"     // query KEY JSON
)

// kept is what the module keeps. A nil *kept keeps nothing.
type kept struct {
	keys     map[string]bool // shapes and rehearsals
	analyses map[string][]Analysed
}

// builtIn reads the embedded file once. A damaged line counts as absent.
var builtIn = sync.OnceValue(func() *kept {
	k := &kept{keys: map[string]bool{}, analyses: map[string][]Analysed{}}
	for line := range strings.Lines(keptText) {
		words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		switch {
		case len(words) == 2 && (words[0] == keptShape || words[0] == keptRehearsal):
			k.keys[words[0]+" "+words[1]] = true
		case len(words) == 3 && words[0] == keptQuery:
			var list []Analysed
			if json.Unmarshal([]byte(words[2]), &list) == nil {
				k.analyses[words[1]] = list
			}
		}
	}
	return k
})

func (k *kept) analysis(key string) ([]Analysed, bool) {
	if k == nil {
		return nil, false
	}
	list, ok := k.analyses[key]
	return list, ok
}

func (k *kept) passed(rehearsal string) bool {
	return k != nil && k.keys[keptRehearsal+" "+rehearsal]
}

func (k *kept) shape(key string) bool { return k != nil && k.keys[keptShape+" "+key] }

// unproven returns the generated units whose queries have a shape of which
// nothing is kept, and how many queries the others have.
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
	for _, q := range u.queries {
		for _, key := range u.shapes(q) {
			if !k.shape(key) {
				return false
			}
		}
	}
	return true
}

// keep returns the lines of a run, sorted.
func keep(generated, own []*unit, known map[*unit][]Analysed, tables []Table, queries []*UserQuery) []string {
	var out []string
	for _, u := range generated {
		for _, q := range u.queries {
			for _, key := range u.shapes(q) {
				out = append(out, keptShape+" "+key)
			}
		}
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

// shapes are the keys of what must be known of a generated query.
func (u *unit) shapes(q model.Query) []string {
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
	return []string{h.key()}
}
