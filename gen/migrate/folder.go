package migrate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// Migration is one folder of migrations.
type Migration struct {
	Name     string // its folder: "0002_headline"
	Parent   string // empty: it is the first
	Snapshot *Snapshot
	Accepted []script.Class // the classes of steps that a person has agreed to
	// Tables are the fingerprints of the tables afterwards, by database and table.
	Tables    map[model.Database]map[string]string
	Checksums map[model.Database]string // of the SQL, as it was recorded
	// SQL is the text of the files, for each database that the project targets. It lacks those that the project
	// did not target when the migration was written: their databases are newer than it.
	SQL map[model.Database]string
}

// record is definition.json.
type record struct {
	Migration  string                               `json:"migration"`
	Parent     string                               `json:"parent,omitempty"`
	Checksums  map[model.Database]string            `json:"checksums"`
	Accepted   []script.Class                       `json:"accepted,omitempty"`
	Tables     map[model.Database]map[string]string `json:"tables"`
	Definition *Snapshot                            `json:"definition"`
}

// definitionFile holds all of a migration that is not SQL.
const definitionFile = "definition.json"

// maxFile bounds what is read of one file.
const maxFile = 64 << 20

// Chain is the migrations of a project, each after its parent.
type Chain struct {
	Folder     string // relative to the project, with slashes
	Migrations []*Migration
}

// Head returns the last migration; nil where there is none.
func (c *Chain) Head() *Migration {
	if len(c.Migrations) == 0 {
		return nil
	}
	return c.Migrations[len(c.Migrations)-1]
}

// Snapshot returns the definitions that the last migration recorded; an empty one where there is none.
func (c *Chain) Snapshot() *Snapshot {
	if h := c.Head(); h != nil {
		return h.Snapshot
	}
	return &Snapshot{}
}

var folderName = regexp.MustCompile(`^[0-9]{4}_[a-z0-9_]+$`)

// Read reads the migrations of a project, and their SQL for the databases that it targets. A folder
// that does not exist is an empty chain. Its error is a mistake.List.
func Read(fsys fs.FS, folder string, targets []model.Database) (*Chain, error) {
	c := &Chain{Folder: folder}
	entries, err := fs.ReadDir(fsys, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, mistake.List{{File: folder, Message: "the folder of migrations cannot be read: " + err.Error(), Hint: "write another one into modulagen.yaml: migrations: FOLDER"}}
	}
	var all []*Migration
	var found mistake.List
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 && folderName.MatchString(e.Name()) {
			found = append(found, mistake.Mistake{File: path.Join(folder, e.Name()), Message: "this is a symbolic link, which programs cannot embed", Hint: "put the folder itself in its place"})
			continue
		}
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if !folderName.MatchString(e.Name()) {
			found = append(found, mistake.Mistake{File: path.Join(folder, e.Name()), Message: "this is no migration", Hint: "their folders are named 0001_name; move others elsewhere"})
			continue
		}
		m, wrong := readMigration(fsys, path.Join(folder, e.Name()), targets)
		if wrong != nil {
			found = append(found, *wrong)
			continue
		}
		all = append(all, m)
	}
	if len(found) > 0 {
		return nil, found.Err()
	}
	if c.Migrations, found = inSequence(folder, all); len(found) > 0 {
		return nil, found.Err()
	}
	return c, nil
}

func readMigration(fsys fs.FS, folder string, targets []model.Database) (*Migration, *mistake.Mistake) {
	wrong := func(file, message, hint string) (*Migration, *mistake.Mistake) {
		return nil, &mistake.Mistake{File: path.Join(folder, file), Message: message, Hint: hint}
	}
	text, err := readFile(fsys, path.Join(folder, definitionFile))
	if err != nil {
		return wrong(definitionFile, unread(err), "restore it from your version control")
	}
	var r record
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &r); err != nil { // as an editor on Windows adds it
		return wrong(definitionFile, "the file is no definition of a migration: "+err.Error(), "restore it from your version control")
	}
	if r.Definition == nil || r.Migration != path.Base(folder) {
		return wrong(definitionFile, fmt.Sprintf("the file describes the migration %q", r.Migration), "a migration's name stands in it, and is not changed by renaming the folder: run modulagen migrate new instead")
	}
	if err := r.Definition.check(); err != nil {
		return wrong(definitionFile, strings.TrimPrefix(err.Error(), "gen/migrate: "), "restore it from your version control, or use the version of modulagen that wrote it")
	}
	m := &Migration{Name: r.Migration, Parent: r.Parent, Snapshot: r.Definition, Accepted: r.Accepted, Tables: r.Tables, Checksums: r.Checksums, SQL: map[model.Database]string{}}
	for _, db := range targets {
		text, err := readFile(fsys, path.Join(folder, string(db)+".sql"))
		if _, recorded := r.Checksums[db]; !recorded && errors.Is(err, fs.ErrNotExist) {
			continue // written before the project targeted this database
		}
		if err != nil {
			return wrong(string(db)+".sql", unread(err), "restore it from your version control")
		}
		m.SQL[db] = string(text)
	}
	return m, nil
}

// unread says why a file was not read, which is named beside it, without the call that failed.
func unread(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "the file is missing"
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return "the file cannot be read: " + err.Error()
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("it has more than %d MiB", maxFile>>20)
	}
	return fs.ReadFile(fsys, name)
}

// inSequence follows the parents from the first migration on.
func inSequence(folder string, all []*Migration) ([]*Migration, mistake.List) {
	var out []*Migration
	children := map[string][]*Migration{}
	for _, m := range all {
		children[m.Parent] = append(children[m.Parent], m)
	}
	at := ""
	for len(children[at]) > 0 {
		next := children[at]
		if len(next) > 1 {
			slices.SortFunc(next, func(a, b *Migration) int { return cmp.Compare(a.Name, b.Name) })
			return nil, twoHeads(folder, at, next, children)
		}
		out = append(out, next[0])
		at = next[0].Name
	}
	if len(out) < len(all) {
		for _, m := range all {
			if !slices.Contains(out, m) {
				return nil, mistake.List{{File: path.Join(folder, m.Name, definitionFile), Message: fmt.Sprintf("its parent %s is no migration here", m.Parent), Hint: "restore that folder from your version control"}}
			}
		}
	}
	return out, nil
}

// twoHeads is what a merge of two branches leaves behind.
func twoHeads(folder, parent string, next []*Migration, children map[string][]*Migration) mistake.List {
	names := make([]string, len(next))
	for i, m := range next {
		names[i] = m.Name
	}
	after := "are both the first"
	if parent != "" {
		after = "both follow " + parent
	}
	last := names[len(names)-1]
	_, name, _ := strings.Cut(last, "_")
	remove, made := []string{path.Join(folder, last)}, "it"
	for i := 0; i < len(remove); i++ { // and what follows it, which one migration takes the place of
		for _, m := range children[path.Base(remove[i])] {
			remove, made = append(remove, path.Join(folder, m.Name)), "what leads to the same"
		}
	}
	return mistake.List{{
		File:    path.Join(folder, last),
		Message: fmt.Sprintf("%s %s, as after a merge of two branches", strings.Join(names, " and "), after),
		Hint: fmt.Sprintf("remove the one that no database has yet, and make %s anew after the other: rm -r %s && modulagen migrate new %s",
			made, strings.Join(remove, " "), name),
	}}
}

// Records reports whether the last migration has recorded the project's tables.
func (c *Chain) Records(p *model.Project) bool {
	return c.Head() != nil && Take(p).equal(c.Head().Snapshot)
}

// Next returns the migrations that lead from the head of the chain to a project whose
// behaviors have been applied: none where nothing has changed, and two where a field has to
// be kept under its old name until older programs have ended. The error is a mistake.List.
func (c *Chain) Next(name string, p *model.Project) ([]*Migration, error) {
	before, parent := c.Snapshot(), ""
	if h := c.Head(); h != nil {
		parent = h.Name
		if c.Records(p) {
			return nil, nil
		}
	}
	var out []*Migration
	middle, err := expanded(before, p)
	if err != nil {
		return nil, err
	}
	if middle != nil {
		compared, err := Compare(before, between(middle, p))
		if err != nil {
			return nil, err
		}
		compared.keepBeside(middle, p)
		compared.After, compared.Left = c.keptSince(compared, nil), c.droppedMembers()
		first := newMigration(c.number(0)+"_"+name, parent, middle, compared, p.Databases())
		out, before, parent, name = append(out, first), middle, first.Name, name+"_contract"
	}
	compared, err := Compare(before, p)
	if err != nil {
		return nil, err
	}
	compared.After, compared.Left = c.keptSince(compared, out), c.droppedMembers()
	return append(out, newMigration(c.number(len(out))+"_"+name, parent, Take(p), compared, p.Databases())), nil
}

// keptSince returns the first migration that has the old columns beside new ones, where these are now dropped:
// no program from before it may still run. It is empty where none is dropped. It is not always the last one: the
// second migration of a rename may have been lost, or be planned anew after a merge.
func (c *Chain) keptSince(compared *Comparison, further []*Migration) string {
	all := slices.Concat(c.Migrations, further)
	since := -1
	for _, t := range compared.Tables {
		for _, k := range t.Kept {
			first := len(all) - 1
			for first > 0 && slices.Contains(all[first-1].Snapshot.kept(t.Before.Name), k) {
				first--
			}
			since = max(since, first)
		}
	}
	if since < 0 {
		return ""
	}
	return all[since].Name
}

func newMigration(name, parent string, s *Snapshot, compared *Comparison, targets []model.Database) *Migration {
	m := &Migration{
		Name: name, Parent: parent, Snapshot: s,
		Tables: map[model.Database]map[string]string{}, Checksums: map[model.Database]string{}, SQL: map[model.Database]string{},
	}
	all := s.Project()
	for db, sql := range Plan(name, parent, compared, targets) {
		m.SQL[db] = sql.String()
		m.Checksums[db] = script.Checksum(m.SQL[db])
		m.Tables[db] = fingerprints(all, db)
	}
	return m
}

// number is that of the next migration, or of one that comes further after it.
func (c *Chain) number(further int) string {
	n := 0
	if h := c.Head(); h != nil {
		n, _ = strconv.Atoi(h.Name[:4]) // four digits, see folderName
	}
	return fmt.Sprintf("%04d", n+1+further)
}

// Databases returns those for which the migration has SQL.
func (m *Migration) Databases() []model.Database {
	return slices.DeleteFunc(slices.Clone(model.Databases), func(db model.Database) bool {
		_, has := m.SQL[db]
		return !has
	})
}

// Edited returns the databases for which the SQL is not what was recorded.
func (m *Migration) Edited() []model.Database {
	var out []model.Database
	for _, db := range m.Databases() {
		if script.Checksum(m.SQL[db]) != m.Checksums[db] {
			out = append(out, db)
		}
	}
	return out
}

// Script parses the SQL for one database. folder is that of migrations, for errors.
func (m *Migration) Script(folder string, db model.Database) (*script.Script, error) {
	file := path.Join(folder, m.Name, string(db)+".sql")
	s, err := script.Parse(file, m.SQL[db])
	if err != nil {
		return nil, err
	}
	return s, s.Belongs(file, m.Name, m.Parent)
}

// Files returns the migration's files, by their names in its folder.
func (m *Migration) Files() (map[string][]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(record{Migration: m.Name, Parent: m.Parent, Checksums: m.Checksums, Accepted: m.Accepted, Tables: m.Tables, Definition: m.Snapshot})
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{definitionFile: b.Bytes()}
	for db, text := range m.SQL {
		out[string(db)+".sql"] = []byte(text)
	}
	return out, nil
}

// Write writes a new migration into the folder of a project: all of it, or nothing.
func (m *Migration) Write(project, folder string) error {
	files, err := m.Files()
	if err != nil {
		return err
	}
	dir := filepath.Join(project, filepath.FromSlash(folder))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), text, 0o644); err != nil {
			return err
		}
	}
	return os.Rename(tmp, filepath.Join(dir, m.Name))
}

// Accept records the SQL as it stands, and the classes of steps that a person agrees to.
func (m *Migration) Accept(project, folder string, classes []script.Class) error {
	for _, db := range m.Databases() {
		m.Checksums[db] = script.Checksum(m.SQL[db])
		if m.Tables[db] == nil { // written by hand, for a database that the project did not target
			m.Tables[db] = fingerprints(m.Snapshot.Project(), db)
		}
	}
	for _, c := range classes {
		if !slices.Contains(m.Accepted, c) {
			m.Accepted = append(m.Accepted, c)
		}
	}
	slices.Sort(m.Accepted)
	files, err := m.Files()
	if err != nil {
		return err
	}
	name := filepath.Join(project, filepath.FromSlash(folder), m.Name, definitionFile)
	tmp := name + ".new"
	if err := os.WriteFile(tmp, files[definitionFile], 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}
