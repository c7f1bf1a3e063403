package load

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
)

// queries reads the project's own SQL as text; what is in it is for the SQL
// compiler to say. A folder that is not there holds none.
func (l *loader) queries(p *model.Project) []*model.UserFile {
	folder := p.Config.Queries
	entries, err := fs.ReadDir(l.fsys, folder)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.found = append(l.found, mistake.Mistake{File: folder, Message: "the folder of the queries cannot be read: " + reason(err)})
		}
		return nil
	}
	var out []*model.UserFile
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if !strings.HasSuffix(e.Name(), ".sql") {
			if strings.HasSuffix(strings.ToLower(e.Name()), ".sql") {
				l.misnamed(path.Join(folder, e.Name()))
			}
			continue
		}
		f := &file{path: path.Join(folder, e.Name())}
		if text, ok := f.read(l.fsys, language.MaxFileBytes); ok {
			dbs := f.databases(strings.TrimSuffix(e.Name(), ".sql"), p)
			out = append(out, &model.UserFile{Path: f.path, Text: string(text), Databases: dbs})
		}
		l.found = append(l.found, f.found...)
	}
	l.covered(out)
	return out
}

// databases reads from a file's name which databases its queries are for.
func (f *file) databases(name string, p *model.Project) []model.Database {
	stem, suffix, ok := strings.Cut(name, ".")
	switch db := model.Database(suffix); {
	case !ok:
		return slices.Clone(p.Databases())
	case p.Targets(db):
		return []model.Database{db}
	case slices.Contains(model.Databases, db):
		f.wrongAt(0, 0, fmt.Sprintf("the file is for %s, and the project targets %s", db, model.List(p.Databases())),
			fmt.Sprintf("remove it, or add %s to databases in %s", db, ConfigFile))
		return nil
	}
	hint := "end the name in .sql, or in .sqlite.sql, .postgres.sql or .mysql.sql"
	if meant := DatabaseMeant(suffix); meant != "" {
		hint = fmt.Sprintf("rename it to %s.%s.sql", stem, meant)
	}
	f.wrongAt(0, 0, fmt.Sprintf("unknown database %q in the file's name", suffix), hint)
	return nil
}

// DatabaseMeant returns the database that a word most likely stands for; "": none.
func DatabaseMeant(word string) string {
	words := map[string]string{"postgresql": "postgres", "pg": "postgres", "pgsql": "postgres", "mariadb": "mysql", "sqlite3": "sqlite"}
	known := make([]string, len(model.Databases))
	for i, d := range model.Databases {
		known[i] = string(d)
	}
	word = strings.ToLower(word)
	return cmp.Or(words[word], near.Word(word, known))
}

// covered reports a file for all databases beside one of the same name for a
// single one: which of them counts would be a guess.
func (l *loader) covered(files []*model.UserFile) {
	all := map[string]*model.UserFile{}
	for _, f := range files {
		if !strings.Contains(strings.TrimSuffix(path.Base(f.Path), ".sql"), ".") {
			all[strings.TrimSuffix(f.Path, ".sql")] = f
		}
	}
	for _, f := range files {
		base := path.Join(path.Dir(f.Path), strings.SplitN(path.Base(f.Path), ".", 2)[0])
		if general := all[base]; general != nil && general != f {
			l.found = append(l.found, mistake.Mistake{
				File: f.Path, Message: fmt.Sprintf("%s already holds these queries for every database", general.Path),
				Hint: "rename that one for the database that it is meant for, or give this one another name",
			})
		}
	}
}
