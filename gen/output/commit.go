package output

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
)

// stagingName is the folder, inside the output, in which a commit is prepared.
// The go command passes over names that begin with a dot.
const stagingName = ".modulagen-staging"

func (d Dir) staging() string { return filepath.Join(d.Path, stagingName) }
func (d Dir) journal() string { return filepath.Join(d.staging(), "journal.json") }

// step is one entry of the journal. Its new content is the staged file named by
// its number; what was there before is kept beside it until the end.
type step struct {
	Path   string `json:"path"`
	Action Action `json:"action"`
	Old    string `json:"old,omitempty"` // hash of the content that it replaces
	New    string `json:"new,omitempty"` // hash of the content that it brings
}

// applied is called after each step of a commit. Tests end the process there.
var applied = func(step int) {}

// Commit brings the folder to what the plan says. With force it overwrites and
// deletes what someone edited. Without it, a *ConflictError is returned and
// nothing is written. The context counts until the journal is written; from
// there on the commit is finished in any case.
func (p *Plan) Commit(ctx context.Context, force bool) error {
	if err := p.blocked(force); err != nil {
		return err
	}
	if len(p.Changes) == 0 && bytes.Equal(unix(p.before), p.manifest.bytes()) {
		return ctx.Err()
	}
	made, err := makeDirs(p.dir.Path)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	err = p.commit(ctx)
	if err != nil {
		for _, dir := range slices.Backward(made) {
			os.Remove(dir) // only if it is empty
		}
	}
	return err
}

// blocked gives the conflicts that forbid the commit.
func (p *Plan) blocked(force bool) error {
	list := p.Conflicts
	if force {
		list = slices.DeleteFunc(slices.Clone(list), func(c Conflict) bool { return !c.fatal })
	}
	if len(list) == 0 {
		return nil
	}
	return &ConflictError{Dir: p.dir.Path, Conflicts: list}
}

func (p *Plan) commit(ctx context.Context) error {
	// Mkdir, not MkdirAll: of two runs at once, one is told so.
	if err := os.Mkdir(p.dir.staging(), 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("output: another run is writing to %s; if there is none, remove %s", p.dir.Path, p.dir.staging())
		}
		return fmt.Errorf("output: %w", err)
	}
	steps, err := p.stage(ctx)
	if err != nil {
		os.RemoveAll(p.dir.staging())
		return err
	}
	if err := p.dir.apply(steps); err != nil {
		os.RemoveAll(p.dir.staging())
		return err
	}
	p.dir.removeEmpty(steps)
	if err := os.RemoveAll(p.dir.staging()); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// stage writes all new content and then the journal.
func (p *Plan) stage(ctx context.Context) ([]step, error) {
	changes := p.Changes
	m := Change{Path: ManifestName, Action: Update, old: p.before, new: p.manifest.bytes()}
	if p.before == nil {
		m.Action = Create
	}
	changes = append(slices.Clone(changes), m) // the last one
	steps := make([]step, len(changes))
	for i, c := range changes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		steps[i] = step{Path: c.Path, Action: c.Action}
		if c.Action != Create {
			steps[i].Old = hash(c.old)
		}
		if c.Action == Delete {
			continue
		}
		steps[i].New = hash(c.new)
		if err := os.WriteFile(p.dir.staged(i), c.new, 0o644); err != nil {
			return nil, fmt.Errorf("output: %w", err)
		}
	}
	data, err := json.Marshal(steps)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if err := os.WriteFile(p.dir.journal()+".new", data, 0o644); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := os.Rename(p.dir.journal()+".new", p.dir.journal()); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return steps, nil
}

func (d Dir) staged(i int) string { return filepath.Join(d.staging(), strconv.Itoa(i)) }
func (d Dir) kept(i int) string   { return filepath.Join(d.staging(), "old-"+strconv.Itoa(i)) }

// apply does the steps in order, and undoes them if one fails.
func (d Dir) apply(steps []step) error {
	for i, s := range steps {
		if err := d.do(i, s); err != nil {
			for j := range slices.Backward(steps[:i+1]) {
				d.undo(j, steps[j])
			}
			d.removeEmpty(steps)
			return fmt.Errorf("output: %w", err)
		}
		applied(i)
	}
	return nil
}

func (d Dir) do(i int, s step) error {
	target := d.file(s.Path)
	switch s.Action {
	case Delete:
		return os.Rename(target, d.kept(i))
	case Create:
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
	case Update:
		if err := keep(target, d.kept(i)); err != nil {
			return err
		}
	}
	return os.Rename(d.staged(i), target)
}

// keep gives a file a second name, so that it is still at its place until the
// new one takes it; where the file system has no such links, it is copied.
func keep(target, kept string) error {
	if os.Link(target, kept) == nil {
		return nil
	}
	data, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	return os.WriteFile(kept, data, 0o644)
}

// undo takes one step back, as far as it was taken.
func (d Dir) undo(i int, s step) {
	if _, err := os.Lstat(d.staged(i)); err == nil && s.Action != Delete {
		return // its new content never left
	}
	if s.Action == Create {
		os.Remove(d.file(s.Path))
		return
	}
	if _, err := os.Lstat(d.kept(i)); err == nil {
		os.Rename(d.kept(i), d.file(s.Path))
	}
}

// removeEmpty removes folders inside the output that steps have emptied.
func (d Dir) removeEmpty(steps []step) {
	for _, s := range steps {
		for dir := path.Dir(s.Path); dir != "."; dir = path.Dir(dir) {
			if os.Remove(d.file(dir)) != nil { // it is not empty
				break
			}
		}
	}
}

// Recover finishes what a killed run began. Without such a run it does nothing.
// A file that was edited since is left as it is; the next plan names it.
func (d Dir) Recover() error {
	data, err := read(d.journal())
	if err != nil {
		return err
	}
	if data == nil {
		// A run that was killed earlier than that has changed nothing.
		if err := os.RemoveAll(d.staging()); err != nil {
			return fmt.Errorf("output: %w", err)
		}
		return nil
	}
	var steps []step
	if err := json.Unmarshal(data, &steps); err != nil {
		return fmt.Errorf("output: %s: %w", d.journal(), err)
	}
	for i, s := range steps {
		if !fs.ValidPath(s.Path) {
			return fmt.Errorf("output: %s names %q", d.journal(), s.Path)
		}
		if err := d.finish(i, s); err != nil {
			return fmt.Errorf("output: finishing an interrupted run: %w", err)
		}
	}
	d.removeEmpty(steps)
	if err := os.RemoveAll(d.staging()); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// finish does a step that a killed run may or may not have done.
func (d Dir) finish(i int, s step) error {
	now, err := read(d.file(s.Path))
	if err != nil {
		return err
	}
	state := ""
	if now != nil {
		state = hash(now)
	}
	if state != s.Old { // done already, or edited since
		return nil
	}
	if s.Action == Delete {
		return os.Remove(d.file(s.Path))
	}
	if _, err := os.Lstat(d.staged(i)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(d.file(s.Path)), 0o755); err != nil {
		return err
	}
	return os.Rename(d.staged(i), d.file(s.Path))
}

// makeDirs makes a folder and those above it, and gives the ones it made.
func makeDirs(dir string) ([]string, error) {
	var made []string
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		made = append(made, at)
	}
	slices.Reverse(made)
	return made, os.MkdirAll(dir, 0o755)
}
