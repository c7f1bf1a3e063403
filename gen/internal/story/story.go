// Package story reads the stories under testdata: small projects in txtar
// files, each with what comes of it. Tests of several packages tell the same
// stories, so that these packages cannot drift apart.
//
// A story starts with what it is about. A line in that text that reads
// "schema: cannot express" marks mistakes that no JSON Schema could find. A
// file whose name ends in ".escaped" holds Go's escapes, so that bytes which no
// editor shows can be seen. The file "want" is what comes of the rest.
package story

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// Story is one file.
type Story struct {
	Name    string // the file's name without its end
	About   string
	Project fstest.MapFS
	Want    string

	path    string
	archive *txtar.Archive
}

// Read returns every story of a folder, by name. It is an error if there is none.
func Read(folder string) ([]*Story, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("story: none in %s: %w", folder, err)
	}
	var out []*Story
	for _, p := range paths {
		s, err := read(p)
		if err != nil {
			return nil, fmt.Errorf("story: %s: %w", p, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func read(path string) (*Story, error) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		return nil, err
	}
	s := &Story{
		Name: strings.TrimSuffix(filepath.Base(path), ".txtar"), About: string(a.Comment),
		Project: fstest.MapFS{}, path: path, archive: a,
	}
	for _, f := range a.Files {
		name, escaped := strings.CutSuffix(f.Name, ".escaped")
		switch {
		case name == "want":
			s.Want = string(f.Data)
		case escaped:
			text, err := strconv.Unquote(`"` + strings.ReplaceAll(string(f.Data), "\n", "") + `"`)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			s.Project[name] = &fstest.MapFile{Data: []byte(text)}
		default:
			s.Project[name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return s, nil
}

// BeyondSchema tells a story whose mistakes no JSON Schema could find.
func (s *Story) BeyondSchema() bool { return strings.Contains(s.About, "\nschema: cannot express\n") }

// Rewrite puts something else into the story as what comes of it.
func (s *Story) Rewrite(want string) error {
	files := s.archive.Files[:0]
	for _, f := range s.archive.Files {
		if f.Name != "want" {
			files = append(files, f)
		}
	}
	s.archive.Files = append(files, txtar.File{Name: "want", Data: []byte(want)})
	return os.WriteFile(s.path, txtar.Format(s.archive), 0o644)
}
