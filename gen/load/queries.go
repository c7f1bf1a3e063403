package load

import (
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
func (l *loader) queries(folder string) []*model.UserFile {
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
			dbs := f.databases(strings.TrimSuffix(e.Name(), ".sql"))
			out = append(out, &model.UserFile{Path: f.path, Text: string(text), Databases: dbs})
		}
		l.found = append(l.found, f.found...)
	}
	l.covered(out)
	return out
}

// databases reads from a file's name which databases its queries are for.
func (f *file) databases(name string) []model.Database {
	_, suffix, ok := strings.Cut(name, ".")
	if !ok {
		return slices.Clone(model.Databases)
	}
	if slices.Contains(model.Databases, model.Database(suffix)) {
		return []model.Database{model.Database(suffix)}
	}
	known := make([]string, len(model.Databases))
	for i, d := range model.Databases {
		known[i] = string(d)
	}
	hint := "end the name in .sql, or in .sqlite.sql, .postgres.sql or .mysql.sql"
	words := map[string]string{"postgresql": "postgres", "pg": "postgres", "pgsql": "postgres", "mariadb": "mysql", "sqlite3": "sqlite"}
	meant := words[suffix]
	if meant == "" {
		meant = near.Word(suffix, known)
	}
	if meant != "" {
		hint = fmt.Sprintf("rename it to %s.%s.sql", strings.SplitN(name, ".", 2)[0], meant)
	}
	f.wrongAt(0, 0, fmt.Sprintf("unknown database %q in the file's name", suffix), hint)
	return nil
}

// covered reports a file for all databases beside one of the same name for a
// single one: which of them counts would be a guess.
func (l *loader) covered(files []*model.UserFile) {
	all := map[string]*model.UserFile{}
	for _, f := range files {
		if len(f.Databases) == len(model.Databases) {
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
