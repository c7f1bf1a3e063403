package source

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// Change is a file with what was added to it.
type Change struct {
	Path   string
	Before []byte // nil: the file is new
	After  []byte
}

// Changes returns the files to which something was added.
func (p *Package) Changes() []Change {
	var out []Change
	for _, f := range p.files {
		if !bytes.Equal(f.before, f.text) {
			out = append(out, Change{f.path, f.before, f.text})
		}
	}
	return out
}

// Write writes the changed files, all of them or none. A file that is a symbolic link or
// read-only, and one that was changed since it was read, is an error.
func (p *Package) Write(root *os.Root) error {
	var changed []*file
	for _, f := range p.files {
		if bytes.Equal(f.before, f.text) {
			continue
		}
		if err := f.writable(root); err != nil {
			return err
		}
		changed = append(changed, f)
	}
	if len(changed) == 0 {
		return nil
	}
	if err := root.MkdirAll(p.Dir, 0o755); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	var staged []string
	discard := func(err error) error {
		for _, name := range staged {
			if left := root.Remove(name); left != nil && !errors.Is(left, fs.ErrNotExist) {
				err = errors.Join(err, left)
			}
		}
		return fmt.Errorf("source: %w", err)
	}
	for _, f := range changed {
		name := path.Join(p.Dir, ".modulagen-"+rand.Text()) // the go command passes over it
		if err := stage(root, name, f); err != nil {
			return discard(err)
		}
		staged = append(staged, name)
	}
	for i, f := range changed {
		if err := put(root, staged[i], f); err != nil {
			return discard(errors.Join(err, undo(root, changed[:i])))
		}
	}
	return nil
}

// writable reports what keeps a file from being replaced.
func (f *file) writable(root *os.Root) error {
	if f.before == nil {
		return nil
	}
	if f.link {
		return fmt.Errorf("source: %s is a symbolic link, and nothing is written through one: put the file there, or add by hand what is missing", f.path)
	}
	if f.mode&0o200 == 0 {
		return fmt.Errorf("source: %s is read-only: permit writing (chmod u+w), or add by hand what is missing", f.path)
	}
	now, err := root.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if !bytes.Equal(now, f.before) {
		return fmt.Errorf("source: %s was changed meanwhile: run the command again", f.path)
	}
	return nil
}

// stage writes the new content beside the file.
func stage(root *os.Root, name string, f *file) error {
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(f.text)
	if err = errors.Join(err, out.Chmod(f.mode), out.Close()); err != nil {
		return errors.Join(err, root.Remove(name))
	}
	return nil
}

// put moves the new content to the file's name. One that is new must still not be there.
func put(root *os.Root, staged string, f *file) error {
	if f.before != nil {
		return root.Rename(staged, f.path)
	}
	if err := root.Link(staged, f.path); err == nil || errors.Is(err, fs.ErrExist) {
		return errors.Join(err, root.Remove(staged))
	}
	if _, err := root.Lstat(f.path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fs.ErrExist, err)
	}
	return root.Rename(staged, f.path) // on a file system without links
}

// undo brings files back to what they were.
func undo(root *os.Root, changed []*file) error {
	var failed error
	for _, f := range changed {
		if f.before == nil {
			failed = errors.Join(failed, root.Remove(f.path))
			continue
		}
		old := &file{path: f.path, text: f.before, mode: f.mode}
		name := path.Join(path.Dir(f.path), ".modulagen-"+rand.Text())
		if err := stage(root, name, old); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		failed = errors.Join(failed, root.Rename(name, f.path))
	}
	return failed
}
