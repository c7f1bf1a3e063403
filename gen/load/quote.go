package load

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/mistake"
)

// Quote adds the source lines to the mistakes that a later stage found in
// definitions. Another error is returned as it is.
func Quote(fsys fs.FS, err error) error {
	var list mistake.List
	if !errors.As(err, &list) {
		return err // nil too
	}
	files := map[string]*file{}
	for i := range list {
		m := &list[i]
		if m.Source != "" || m.Line == 0 {
			continue
		}
		f := files[m.File]
		if f == nil {
			f = &file{path: m.File}
			if text, ok := f.read(fsys, language.MaxFileBytes); ok {
				f.lines = strings.Split(lineEnds.Replace(string(text)), "\n")
			}
			files[m.File] = f
		}
		if m.Line <= len(f.lines) {
			m.Source, m.Column = excerpt(f.lines[m.Line-1], m.Column)
		}
	}
	return list
}
