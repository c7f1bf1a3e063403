package output

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
)

// Recover makes up for a run that was killed in the middle of a commit: what
// that run had already put in its place is entered in the manifest, so that the
// next plan does not take it for an edit and does the rest. Without such a run
// it does nothing.
//
// The staging folder may also have come with a clone. It is therefore believed
// in nothing but the hashes of files within the folder, which a manifest that
// came with the clone could state as well: no step of its journal is carried
// out, and nothing that it staged is used.
func (d Dir) Recover() error {
	f, err := d.open()
	if err != nil {
		return err
	}
	defer f.close()
	if f.Root == nil {
		return nil
	}
	info, err := f.Lstat(stagingName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return f.wrong(stagingName, err)
	case !info.IsDir():
		return f.wrong(stagingName, errors.New("is not a folder that modulagen made: remove it"))
	}
	steps, err := f.journal()
	if err != nil {
		return err
	}
	if err := f.adopt(steps); err != nil {
		return err
	}
	return f.unstage()
}

// journal reads the steps of a killed run. One that was killed before it had
// written them has changed nothing.
func (f folder) journal() ([]step, error) {
	data, err := f.read(journalName)
	if data == nil || err != nil {
		return nil, err
	}
	var steps []step
	if err := json.Unmarshal(data, &steps); err != nil {
		return nil, f.wrong(journalName, fmt.Errorf("%w (remove %s)", err, stagingName))
	}
	return steps, nil
}

// adopt enters in the manifest what steps of a killed run brought to its place.
// A path that cannot be a generated file's, or that a link leads elsewhere, is
// passed over; so is a file that was edited since.
func (f folder) adopt(steps []step) error {
	known, _, err := f.manifest()
	if err != nil {
		return err
	}
	before := maps.Clone(known.Files)
	for _, s := range steps {
		if !own(s.Path) {
			continue
		}
		_, reason, err := f.obstacle(s.Path)
		if err != nil {
			return err
		}
		if reason != "" {
			continue
		}
		now, err := f.read(s.Path)
		switch {
		case err != nil:
			return err
		case now == nil:
			f.removeEmpty([]step{s}) // the folder that a deletion left
		case hash(now) == s.New:
			known.Files[s.Path] = s.New
		}
	}
	if maps.Equal(before, known.Files) {
		return nil
	}
	const next = stagingName + "/manifest.new"
	if err := f.RemoveAll(next); err != nil { // of a run that was killed here, or a link
		return f.wrong(ManifestName, err)
	}
	if err := f.write(next, known.bytes()); err != nil {
		return f.wrong(ManifestName, err)
	}
	if err := f.Rename(next, ManifestName); err != nil {
		return f.wrong(ManifestName, err)
	}
	return nil
}
