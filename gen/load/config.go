package load

import (
	"io/fs"

	"github.com/hegner123/modulagen/gen/model"
)

// Config reads a project's configuration alone. Its error is a mistake.List.
func Config(fsys fs.FS) (model.Config, error) {
	l := &loader{fsys: fsys}
	c := l.config()
	return c, l.found.Err()
}
