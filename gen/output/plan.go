package output

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Dir is a folder of generated files.
type Dir struct {
	Project string // the folder that Path is in and nothing is written outside of; "" is the current one
	Path    string // within Project, with slashes; need not exist
	Version string // of the tool; stands in the manifest
	Stubs   bool   // Go files that are generated no more become stubs first, see stub
}

// Action is what happens to a file.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Change is one file that is not as it should be.
type Change struct {
	Path   string // relative to the folder, with slashes
	Action Action

	old, new []byte
}

// Conflict is a file that is not the tool's to touch.
type Conflict struct {
	Path   string
	Action Action // what the tool wanted
	Reason string // "was edited", "was not written by modulagen", "is a symbolic link", ...
	fatal  bool   // not even by force
}

// ConflictError is every file that stands in the way.
type ConflictError struct {
	Dir       string
	Conflicts []Conflict
}

// Error names each file and says what would help.
func (e *ConflictError) Error() string {
	var b strings.Builder
	b.WriteString("nothing was written, because of files that someone else wrote:")
	force := true
	for _, c := range e.Conflicts {
		fmt.Fprintf(&b, "\n  %s %s", path.Join(filepath.ToSlash(e.Dir), c.Path), c.Reason)
		force = force && !c.fatal
	}
	if force {
		b.WriteString("\nmove your changes elsewhere, or use --force to lose them")
	}
	return b.String()
}

// Plan is the difference between what should be in a folder and what is.
type Plan struct {
	Changes   []Change   // sorted by path
	Conflicts []Conflict // sorted by path; changes of these files are in Changes too
	Unchanged int        // files that are as they should be

	dir      Dir
	folder   folder   // while Plan runs
	known    manifest // as it is
	manifest manifest // as it will be
	before   []byte   // the manifest's text as it is; nil without one
	staged   bool     // an interrupted run left something
}

// Plan compares files (paths relative to the folder, with slashes) with the
// disk. It writes nothing.
func (d Dir) Plan(files map[string][]byte) (*Plan, error) {
	f, err := d.open()
	if err != nil {
		return nil, err
	}
	defer f.close()
	p := &Plan{dir: d, folder: f, manifest: manifest{Tool: d.Version, Files: make(map[string]string, len(files))}}
	if p.known, p.before, err = f.manifest(); err != nil {
		return nil, err
	}
	if f.Root != nil {
		_, err := f.Lstat(stagingName)
		p.staged = err == nil
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !own(name) {
			return nil, fmt.Errorf("output: %q cannot be the name of a generated file", name)
		}
		p.manifest.Files[name] = hash(files[name])
		if err := p.want(name, files[name], p.known.Files[name]); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.known.Files)) {
		if _, wanted := files[name]; !wanted && own(name) {
			if err := p.unwanted(name, p.known.Files[name]); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(p.Changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(p.Conflicts, func(a, b Conflict) int { return strings.Compare(a.Path, b.Path) })
	return p, nil
}

// want plans a file that should be there.
func (p *Plan) want(name string, content []byte, written string) error {
	if done, err := p.obstacle(name, Update); done || err != nil {
		return err
	}
	old, err := p.folder.read(name)
	switch {
	case err != nil:
		return err
	case old == nil:
		p.Changes = append(p.Changes, Change{Path: name, Action: Create, new: content})
		return nil
	case bytes.Equal(unix(old), content):
		p.Unchanged++
		return nil
	case written == "":
		p.conflict(name, Update, "was not written by modulagen", false)
	case hash(old) != written && !p.known.merged[name]:
		p.conflict(name, Update, "was edited", false)
	}
	p.Changes = append(p.Changes, Change{Path: name, Action: Update, old: old, new: content})
	return nil
}

// unwanted plans a file that the tool wrote once and that is generated no more.
func (p *Plan) unwanted(name, written string) error {
	if done, err := p.obstacle(name, Delete); done || err != nil {
		return err
	}
	old, err := p.folder.read(name)
	if err != nil || old == nil {
		return err
	}
	if hash(old) != written && !p.known.merged[name] {
		p.conflict(name, Delete, "is generated no more and was edited", false)
	}
	if p.dir.Stubs && path.Ext(name) == ".go" && !isStub(old) {
		p.manifest.Files[name] = hash([]byte(stub))
		p.Changes = append(p.Changes, Change{Path: name, Action: Update, old: old, new: []byte(stub)})
		return nil
	}
	p.Changes = append(p.Changes, Change{Path: name, Action: Delete, old: old})
	return nil
}

// obstacle notes what stands in the way of a file; not even force removes it.
func (p *Plan) obstacle(name string, a Action) (bool, error) {
	at, reason, err := p.folder.obstacle(name)
	if reason != "" {
		p.conflict(at, a, reason, true)
	}
	return reason != "", err
}

func (p *Plan) conflict(name string, a Action, reason string, fatal bool) {
	c := Conflict{Path: name, Action: a, Reason: reason, fatal: fatal}
	if !slices.Contains(p.Conflicts, c) {
		p.Conflicts = append(p.Conflicts, c)
	}
}

// Finding is one line of a check: a file that is not as the definitions say.
type Finding struct {
	Path string `json:"path"`
	What string `json:"what"` // "missing", "stale", "extra", "edited", ...
}

// Findings returns what a check reports; none if the folder is as it should be.
// That another version of the tool would write the same is no finding.
func (p *Plan) Findings() []Finding {
	var out []Finding
	reasons := map[string]string{}
	for _, c := range p.Conflicts {
		reasons[c.Path] = c.Reason
		out = append(out, Finding{c.Path, c.Reason})
	}
	words := map[Action]string{Create: "is missing", Update: "is stale", Delete: "is generated no more"}
	for _, c := range p.Changes {
		if reasons[c.Path] == "" && !(c.Action == Delete && isStub(c.old)) {
			out = append(out, Finding{c.Path, words[c.Action]})
		}
	}
	if len(out) == 0 && p.manifestStale() {
		out = append(out, Finding{ManifestName, "is stale"})
	}
	if p.staged {
		out = append(out, Finding{stagingName, "is what an interrupted run left; generate will finish it"})
	}
	slices.SortFunc(out, func(a, b Finding) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func (p *Plan) manifestStale() bool {
	known := maps.Clone(p.known.Files)
	maps.DeleteFunc(known, func(name, written string) bool {
		_, wanted := p.manifest.Files[name]
		return !wanted && written == hash([]byte(stub))
	})
	return !maps.Equal(known, p.manifest.Files)
}

// Diff returns a change of a file as a unified diff; before is nil where there was none.
func Diff(name string, before, after []byte) string {
	from := "a/" + name
	if before == nil {
		from = "/dev/null"
	}
	return string(diff.Diff(from, unix(before), "b/"+name, unix(after)))
}

// Diff returns the changes as a unified diff.
func (p *Plan) Diff() string {
	var b strings.Builder
	base := filepath.ToSlash(p.dir.shown())
	for _, c := range p.Changes {
		from, to := "a/"+path.Join(base, c.Path), "b/"+path.Join(base, c.Path)
		if c.Action == Create {
			from = "/dev/null"
		}
		if c.Action == Delete {
			to = "/dev/null"
		}
		b.Write(diff.Diff(from, unix(c.old), to, c.new))
	}
	return b.String()
}
