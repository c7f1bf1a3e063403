package output

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
)

// stagingName is the folder, inside the output, in which a commit is prepared.
// The go command passes over names that begin with a dot.
const stagingName = ".modulagen-staging"

// journalName is the list of the steps of a commit. It is there from the moment
// at which all new content is staged.
const journalName = stagingName + "/journal.json"

func staged(i int) string { return stagingName + "/" + strconv.Itoa(i) }
func kept(i int) string   { return stagingName + "/old-" + strconv.Itoa(i) }

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
	f, undo, err := p.dir.create()
	if err != nil {
		return err
	}
	defer f.close()
	if err := p.commit(ctx, f); err != nil {
		undo()
		return err
	}
	return nil
}

// blocked returns the conflicts that forbid the commit.
func (p *Plan) blocked(force bool) error {
	list := p.Conflicts
	if force {
		list = slices.DeleteFunc(slices.Clone(list), func(c Conflict) bool { return !c.fatal })
	}
	if len(list) == 0 {
		return nil
	}
	return &ConflictError{Dir: p.dir.shown(), Conflicts: list}
}

func (p *Plan) commit(ctx context.Context, f folder) error {
	// Mkdir, not MkdirAll: of two runs at once, one is told so.
	if err := f.Mkdir(stagingName, 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("output: another run is writing to %s; if there is none, remove %s", f.shown, filepath.Join(f.shown, stagingName))
		}
		return f.wrong(stagingName, err)
	}
	steps, err := p.stage(ctx, f)
	if err != nil {
		return errors.Join(err, f.unstage())
	}
	if err := f.apply(steps); err != nil {
		return errors.Join(err, f.unstage())
	}
	f.removeEmpty(steps)
	return f.unstage()
}

// unstage removes the staging folder.
func (f folder) unstage() error {
	if err := f.RemoveAll(stagingName); err != nil {
		return f.wrong(stagingName, err)
	}
	return nil
}

// stage writes all new content and then the journal.
func (p *Plan) stage(ctx context.Context, f folder) ([]step, error) {
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
		if err := f.write(staged(i), c.new); err != nil {
			return nil, f.wrong(c.Path, err)
		}
	}
	data, err := json.Marshal(steps)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if err := f.write(journalName+".new", data); err != nil {
		return nil, f.wrong(journalName, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := f.Rename(journalName+".new", journalName); err != nil {
		return nil, f.wrong(journalName, err)
	}
	return steps, nil
}

// apply does the steps in order, and undoes them if one fails.
func (f folder) apply(steps []step) error {
	for i, s := range steps {
		if err := f.do(i, s); err != nil {
			err = f.wrong(s.Path, err)
			for j := range slices.Backward(steps[:i+1]) {
				if undone := f.undo(j, steps[j]); undone != nil {
					err = errors.Join(err, f.wrong(steps[j].Path, undone))
				}
			}
			f.removeEmpty(steps)
			return err
		}
		applied(i)
	}
	return nil
}

func (f folder) do(i int, s step) error {
	switch s.Action {
	case Delete:
		return f.Rename(s.Path, kept(i))
	case Create:
		if err := f.MkdirAll(path.Dir(s.Path), 0o755); err != nil {
			return err
		}
	case Update:
		if err := f.keep(s.Path, kept(i)); err != nil {
			return err
		}
	}
	return f.Rename(staged(i), s.Path)
}

// keep creates a second name for a file, so that it is still at its place until
// the new one takes it; where the file system has no such links, it is copied.
func (f folder) keep(target, kept string) error {
	if f.Link(target, kept) == nil {
		return nil
	}
	data, err := f.ReadFile(target)
	if err != nil {
		return err
	}
	return f.write(kept, data)
}

// undo takes one step back, as far as it was taken.
func (f folder) undo(i int, s step) error {
	if _, err := f.Lstat(staged(i)); err == nil && s.Action != Delete {
		return nil // its new content never left
	}
	if s.Action == Create {
		return f.Remove(s.Path)
	}
	if _, err := f.Lstat(kept(i)); err == nil {
		return f.Rename(kept(i), s.Path)
	}
	return nil
}

// removeEmpty removes folders inside the output that steps have emptied.
func (f folder) removeEmpty(steps []step) {
	for _, s := range steps {
		for dir := path.Dir(s.Path); dir != "."; dir = path.Dir(dir) {
			if f.Remove(dir) != nil { // it is not empty
				break
			}
		}
	}
}
