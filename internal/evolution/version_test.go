package evolution_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// version is one version of a project's definitions.
type version struct {
	*model.Project
	files fstest.MapFS
}

// definitions are files of a project by their names, without the folder; "modulagen.yaml" is
// its configuration.
type definitions map[string]string

// of makes definitions of texts that begin with "name: NAME".
func of(texts ...string) definitions {
	out := definitions{}
	for i, text := range texts {
		out[fmt.Sprintf("d%03d.yaml", i)] = text
	}
	return out
}

// read loads definitions and applies the behaviors. Its error is a mistake.List.
func (d definitions) read() (*version, error) {
	files := fstest.MapFS{}
	for name, text := range d {
		if name != load.ConfigFile {
			name = "datatypes/" + name
		}
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, err := load.Load(files, gen.Behaviors)
	if err == nil {
		err = behavior.Apply(p, gen.Behaviors)
	}
	if err != nil {
		return nil, load.Quote(files, err)
	}
	return &version{p, files}, nil
}

func (d definitions) must(t testing.TB) *version {
	t.Helper()
	v, err := d.read()
	if err != nil {
		t.Fatalf("the definitions are wrong: %v", err)
	}
	return v
}

// schema is what generated code of the version compares a database with.
func (v *version) schema() *core.Schema { return migrate.Schema(v.Datatypes) }

func (v *version) datatype(name string) *model.Datatype {
	if i := slices.IndexFunc(v.Datatypes, func(d *model.Datatype) bool { return d.Name == name }); i >= 0 {
		return v.Datatypes[i]
	}
	return nil
}

func field(d *model.Datatype, name string) *model.Field {
	if d == nil {
		return nil
	}
	if i := slices.IndexFunc(d.Fields, func(f *model.Field) bool { return f.Name == name }); i >= 0 {
		return d.Fields[i]
	}
	return nil
}

// history is a chain of migrations with the versions that they lead to.
type history struct {
	chain    *migrate.Chain
	versions []*version
	counts   []int // how many migrations lead to each version
}

func (h *history) last() *version { return h.versions[len(h.versions)-1] }

// begin is the history of one version, which it reads from its files.
func begin(t testing.TB, first *version) *history {
	t.Helper()
	h := &history{chain: &migrate.Chain{Folder: "migrations"}}
	if _, wrong := h.add(t, first); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return h
}

// add records the change to another version, and returns its migrations. It fails for all errors but mistakes.
func (h *history) add(t testing.TB, v *version) ([]*migrate.Migration, mistake.List) {
	t.Helper()
	all, err := h.chain.Next("change", v.Project)
	var wrong mistake.List
	if err != nil && !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	for _, m := range all {
		m.Snapshot = recorded(t, m.Snapshot)
	}
	if len(wrong) == 0 {
		h.chain.Migrations, h.versions = append(h.chain.Migrations, all...), append(h.versions, v)
		h.counts = append(h.counts, len(h.chain.Migrations))
	}
	return all, wrong
}

// recorded is a snapshot as it is read from its file.
func recorded(t testing.TB, s *migrate.Snapshot) *migrate.Snapshot {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	out := &migrate.Snapshot{}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	return out
}
