package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/hegner123/modulagen/datatypes"
	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/jsonschema"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

//go:embed templates
var templates embed.FS

// goVersion is the least Go version that the runtime needs.
const goVersion = "1.26.0"

// schemaPath is where a project keeps the JSON Schema that its definitions'
// first line points an editor to.
const schemaPath = ".modulagen/schema.json"

// configSchemaPath is where it keeps that of modulagen.yaml.
const configSchemaPath = ".modulagen/config.schema.json"

// ErrNotEmpty is the reason for not making a project.
var ErrNotEmpty = errors.New("scaffold: the folder is not empty")

// Project is a project to be made.
type Project struct {
	Module  string // its path in go.mod: "shop", "example.com/shop"
	Version string // of modulagen, as go.mod asks for it
	Replace string // the checkout that stands for that version; "" for none
	// Databases are those that it targets, in the order of model.Databases; none: all.
	Databases []model.Database
}

// ModuleName makes a module path out of a folder's name.
func ModuleName(dir string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(filepath.Base(dir)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-_")
	if name == "" {
		return "app"
	}
	return name
}

var modulePath = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9][A-Za-z0-9._~-]*)*$`)

// Files returns the files of a new project, by path with slashes.
func (p Project) Files() (map[string][]byte, error) {
	if !modulePath.MatchString(p.Module) {
		return nil, fmt.Errorf("scaffold: %q cannot be a module's path", p.Module)
	}
	values := map[string]string{
		"Module": p.Module, "Name": ModuleName(p.Module), "Go": goVersion,
		"Version": p.Version, "Replace": quoted(p.Replace), "Modeline": modeline(configSchemaPath),
		"Databases": joined(p.Databases), "Driver": string(p.opened()), "DSN": p.ExampleDSN(),
	}
	if len(p.Databases) == 1 {
		values["Only"] = string(p.Databases[0])
	}
	out := map[string][]byte{
		schemaPath: jsonschema.Schema(gen.Grammar()), configSchemaPath: jsonschema.Config(gen.Configuration()),
	}
	for name, file := range map[string]string{
		"go.mod.tmpl": "go.mod", "main.go.tmpl": "main.go", "generate.go.tmpl": "generate.go",
		"modulagen.yaml.tmpl": "modulagen.yaml", "queries.sql.tmpl": "queries/jobs.sql", "gitignore.tmpl": ".gitignore",
	} {
		text, err := fill(name, values)
		if err != nil {
			return nil, err
		}
		out[file] = text
	}
	for _, name := range datatypes.Names() {
		text, err := datatypes.Read(name)
		if err != nil {
			return nil, fmt.Errorf("scaffold: %w", err)
		}
		out["datatypes/"+name+".yaml"] = append([]byte(modeline("../"+schemaPath)), text...)
	}
	return out, nil
}

// opened is the database that the program of a new project opens: a file where it may be one.
func (p Project) opened() model.Database {
	if len(p.Databases) == 0 {
		return model.SQLite
	}
	return p.Databases[0]
}

// ExampleDSN is a DSN of a server, as the program of a new project takes it from $DATABASE_URL; "" where
// it opens a file.
func (p Project) ExampleDSN() string {
	switch p.opened() {
	case model.Postgres:
		return "postgres://user:password@localhost:5432/" + ModuleName(p.Module)
	case model.MySQL:
		return "mysql://user:password@localhost:3306/" + ModuleName(p.Module)
	}
	return ""
}

// joined writes databases as modulagen.yaml and comments list them.
func joined(all []model.Database) string {
	names := make([]string, len(all))
	for i, db := range all {
		names[i] = string(db)
	}
	return strings.Join(names, ", ")
}

// quoted returns a path as go.mod wants it.
func quoted(dir string) string {
	dir = filepath.ToSlash(dir)
	if strings.ContainsAny(dir, " '\"`()[]{},;") {
		return `"` + strings.ReplaceAll(dir, `"`, `\"`) + `"`
	}
	return dir
}

func modeline(schema string) string { return "# yaml-language-server: $schema=" + schema + "\n" }

func fill(name string, values any) ([]byte, error) {
	t, err := template.ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	return b.Bytes(), nil
}

// Write puts files into a folder, which it makes. A folder that holds something
// is ErrNotEmpty unless merge is set; then only what is missing is written, and
// the files that were there already are given back.
func Write(dir string, files map[string][]byte, merge bool) (kept []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	root, err := os.OpenRoot(dir) // a link in the folder does not lead out of it
	if err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	if len(entries) > 0 && !merge {
		return nil, fmt.Errorf("%w: %s", ErrNotEmpty, dir)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		err := create(root, name, files[name])
		if errors.Is(err, fs.ErrExist) {
			kept = append(kept, name)
			continue
		}
		if err != nil {
			return kept, fmt.Errorf("scaffold: %w", err)
		}
	}
	return kept, nil
}

// create writes a file that must not exist.
func create(root *os.Root, name string, text []byte) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

var (
	datatypeName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	nameKey      = regexp.MustCompile(`(?m)^name:.*$`)
	labelKey     = regexp.MustCompile(`(?m)^label:.*$`)
	routeKey     = regexp.MustCompile(`(?m)^route:.*$`)
	aboutLines   = regexp.MustCompile(`^(#.*\n)*`)
	kindsSection = regexp.MustCompile(`(?m)^  kinds:.*\n(?:    .*\n)*`)
)

// Definition returns the text of a new datatype's file: a small one, or a copy of
// a built-in. schema is the path of the JSON Schema from that file.
func Definition(name, from, schema string) ([]byte, error) {
	if !datatypeName.MatchString(name) {
		return nil, fmt.Errorf("scaffold: %q cannot be a datatype's name: use lower-case letters, digits and _, as in blog_post", name)
	}
	if from == "" {
		return fill("datatype.yaml.tmpl", map[string]string{"Name": name, "Schema": schema})
	}
	if !slices.Contains(datatypes.Names(), from) {
		return nil, fmt.Errorf("scaffold: there is no built-in %q: the built-ins are %s", from, strings.Join(datatypes.Names(), ", "))
	}
	text, err := datatypes.Read(from)
	if err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	return append([]byte(modeline(schema)), renamed(text, name, from)...), nil
}

// renamed makes a copy of a built-in speak of itself. It has none of the kinds
// of jobs: each becomes a Go type, of which there can be one only.
func renamed(text []byte, name, from string) []byte {
	about := "# A copy of the built-in " + from + ".\n"
	if kindsSection.Match(text) {
		about = "# A copy of the built-in " + from + ", without its kinds: add those of its own as kinds:, below queue:.\n"
	}
	text = kindsSection.ReplaceAll(text, nil)
	text = nameKey.ReplaceAll(text, []byte("name: "+name))
	text = labelKey.ReplaceAll(text, []byte("label: "+load.Label(name)))
	text = routeKey.ReplaceAll(text, []byte("route: "+strings.ReplaceAll(name, "_", "-")))
	return append([]byte(about), text[len(aboutLines.Find(text)):]...)
}

// Add writes a new datatype's file, which must not exist, and the schema beside
// it, and gives the file's path. A file that makes a mistake of the project,
// such as a name that SQL or another datatype has, does not stay.
func Add(project, folder, name, from string) (string, error) {
	up, err := filepath.Rel(filepath.Join(project, filepath.FromSlash(folder)), filepath.Join(project, schemaPath))
	if err != nil {
		return "", fmt.Errorf("scaffold: %w", err)
	}
	text, err := Definition(name, from, filepath.ToSlash(up))
	if err != nil {
		return "", err
	}
	root, err := os.OpenRoot(project)
	if err != nil {
		return "", fmt.Errorf("scaffold: %w", err)
	}
	defer root.Close()
	file := path.Join(folder, name+".yaml")
	shown := filepath.Join(project, filepath.FromSlash(file))
	before := mistakes(root)
	if err := create(root, file, text); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("scaffold: %s exists already", shown)
		}
		return "", fmt.Errorf("scaffold: %w", err)
	}
	if err := refused(before, mistakes(root)); err != nil {
		return "", errors.Join(fmt.Errorf("scaffold: %s cannot be added: %w", name, err), root.Remove(file))
	}
	if err := create(root, schemaPath, jsonschema.Schema(gen.Grammar())); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("scaffold: %w", err)
	}
	return shown, nil
}

// mistakes returns what is wrong in a project's definitions.
func mistakes(root *os.Root) mistake.List {
	var list mistake.List
	errors.As(gen.Check(root.FS()), &list)
	return list
}

// refused returns as one error the mistakes that were not there before.
func refused(before, after mistake.List) error {
	var out []error
	for _, m := range after {
		if slices.Contains(before, m) {
			continue
		}
		reason := m.Message
		if m.Hint != "" {
			reason += ": " + m.Hint
		}
		out = append(out, errors.New(reason))
	}
	return errors.Join(out...)
}
