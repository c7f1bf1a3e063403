package output

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile is the most that is read of one file: far more than is ever
// generated, and less than would exhaust the memory.
const maxFile = 256 << 20

// folder is an opened output folder. Everything that is read or written there
// goes through its root, so that no link, and no path in a manifest or a
// journal, leads out of it: a repository that someone cloned is not trusted.
type folder struct {
	*os.Root        // nil while the folder does not exist
	shown    string // how messages name it
}

// shown names the folder in messages.
func (d Dir) shown() string { return filepath.Join(d.Project, filepath.FromSlash(d.Path)) }

// open opens the folder. No part of its path below the project may be a
// symbolic link: `generated -> ~/.ssh` can come with a clone.
func (d Dir) open() (folder, error) {
	f := folder{shown: d.shown()}
	project, err := os.OpenRoot(d.project())
	if err != nil {
		return f, fmt.Errorf("output: %w", err)
	}
	defer project.Close()
	parts, err := d.parts()
	if err != nil {
		return f, err
	}
	for i := range parts {
		at := path.Join(parts[:i+1]...)
		info, err := project.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return f, nil
		case err != nil:
			return f, fmt.Errorf("output: %w", err)
		case info.Mode()&fs.ModeSymlink != 0:
			return f, fmt.Errorf("output: %s is a symbolic link, which could lead anywhere: name the folder itself as output, or remove the link", filepath.Join(d.Project, at))
		case !info.IsDir():
			return f, fmt.Errorf("output: %s is not a folder", filepath.Join(d.Project, at))
		}
	}
	if f.Root, err = project.OpenRoot(path.Join(parts...)); err != nil {
		return f, fmt.Errorf("output: %w", err)
	}
	return f, nil
}

func (d Dir) project() string {
	if d.Project == "" {
		return "."
	}
	return d.Project
}

// parts returns the elements of the folder's path in the project.
func (d Dir) parts() ([]string, error) {
	if !fs.ValidPath(d.Path) || d.Path == "." {
		return nil, fmt.Errorf("output: %q is not a folder within the project", d.Path)
	}
	return strings.Split(d.Path, "/"), nil
}

// create makes the folder and those above it, up to the project, and opens it.
// undo removes what it made, as far as that is still empty.
func (d Dir) create() (f folder, undo func(), err error) {
	if f, err = d.open(); err != nil || f.Root != nil {
		return f, func() {}, err
	}
	parts, err := d.parts()
	if err != nil {
		return f, nil, err
	}
	project, err := os.OpenRoot(d.project())
	if err != nil {
		return f, nil, fmt.Errorf("output: %w", err)
	}
	defer project.Close()
	var made []string
	for i := range parts {
		at := path.Join(parts[:i+1]...)
		err := project.Mkdir(at, 0o755)
		if err == nil {
			made = append(made, at)
		} else if !errors.Is(err, fs.ErrExist) {
			return f, nil, fmt.Errorf("output: %w", err)
		}
	}
	f, err = d.open()
	return f, func() { d.remove(made) }, err
}

// remove removes empty folders of the project, the last one first.
func (d Dir) remove(made []string) {
	project, err := os.OpenRoot(d.project())
	if err != nil {
		return
	}
	defer project.Close()
	for _, dir := range slices.Backward(made) {
		if project.Remove(dir) != nil { // it is not empty
			return
		}
	}
}

// close closes the root. Its handle was only read from.
func (f folder) close() {
	if f.Root != nil {
		f.Root.Close()
	}
}

// read returns a file's content; nil if there is none. What is not a regular
// file is an error, and is not opened: a named pipe would never answer.
func (f folder) read(name string) ([]byte, error) {
	if f.Root == nil {
		return nil, nil
	}
	info, err := f.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, f.wrong(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, f.wrong(name, errors.New("is not a regular file: remove it"))
	}
	file, err := f.Open(name)
	if err != nil {
		return nil, f.wrong(name, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, f.wrong(name, err)
	}
	if len(data) > maxFile {
		return nil, f.wrong(name, fmt.Errorf("has more than %d MiB", maxFile>>20))
	}
	return data, nil
}

// write writes a file that must not exist. What is there already, or a link to
// somewhere else, is an error.
func (f folder) write(name string, data []byte) error {
	file, err := f.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

// wrong says which file an error is about.
func (f folder) wrong(name string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("output: %s: %w", filepath.Join(f.shown, filepath.FromSlash(name)), err)
}

// own reports whether a path can be that of a generated file: within the folder,
// and neither the manifest nor in the staging folder.
func own(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return fs.ValidPath(name) && filepath.IsLocal(filepath.FromSlash(name)) && name != "." && name != ManifestName && first != stagingName
}

// obstacle finds what is neither a file nor nothing at a path, or above it, and
// says what it is. A link there would lead elsewhere.
func (f folder) obstacle(name string) (at, reason string, err error) {
	if f.Root == nil {
		return "", "", nil
	}
	parts := strings.Split(name, "/")
	for i := range parts {
		at := path.Join(parts[:i+1]...)
		info, err := f.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return "", "", nil
		}
		if err != nil {
			return "", "", f.wrong(at, err)
		}
		last := i == len(parts)-1
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			return at, "is a symbolic link", nil
		case last && !info.Mode().IsRegular():
			return at, "is not a file", nil
		case !last && !info.IsDir():
			return at, "is not a folder", nil
		}
	}
	return "", "", nil
}
