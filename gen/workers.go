package gen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/gen/worker"
	"github.com/hegner123/modulagen/gen/worker/source"
)

// ErrNoModule is the reason for writing no handlers: nothing can import the generated package.
var ErrNoModule = errors.New("gen: there is no go.mod in the project's folder or above it, so that no package can import what is generated: run go mod init")

// ErrNoHandlers is the reason for writing none: the datatype needs no code of a program's own.
var ErrNoHandlers = errors.New("gen: a program writes no handlers for it")

// WorkersOptions of Workers.
type WorkersOptions struct {
	Dir string // the project's folder; "" is the current one
	// Names are the datatypes; nil means those whose types are there already.
	Names []string
	// Bodies are those of methods that are not to be left to a person, by "Type.Method".
	Bodies map[string][]string
}

// WorkersPlan is what a project's package of handlers lacks.
type WorkersPlan struct {
	Config    model.Config
	Datatypes []string // that were looked at
	Lacks     []worker.Lack
	Changes   []source.Change

	dir    string
	folder *worker.Folder
}

// Workers compares the package of a project's handlers with its definitions. It writes nothing.
func Workers(ctx context.Context, opts WorkersOptions) (*WorkersPlan, error) {
	if opts.Dir == "" {
		opts.Dir = "."
	}
	result, err := Generate(ctx, Options{Dir: opts.Dir, ReadOnly: true, Until: "names"})
	if err != nil {
		return nil, err
	}
	project := result.Project
	generated, err := generatedImport(opts.Dir, project.Config)
	if err != nil {
		return nil, err
	}
	if err := workersFolder(project.Config); err != nil {
		return nil, err
	}
	parts := partsOf(project)
	root, err := os.OpenRoot(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("gen: %w", err)
	}
	defer root.Close()
	folder, err := worker.Open(root, project.Config.Workers, worker.Imports(generated, slices.Concat(values(parts)...)))
	if err != nil {
		return nil, err
	}
	folder.Bodies = opts.Bodies
	plan := &WorkersPlan{Config: project.Config, Datatypes: []string{}, dir: opts.Dir, folder: folder}
	all, err := chosen(project, parts, folder, opts.Names)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		plan.Datatypes = append(plan.Datatypes, d.Name)
		if err := folder.Add(d, parts[d]); err != nil {
			return nil, Quote(opts.Dir, err)
		}
	}
	plan.Lacks, plan.Changes = folder.Lacks, folder.Changes()
	return plan, nil
}

// Write writes what is missing, all of it or nothing.
func (p *WorkersPlan) Write() error {
	root, err := os.OpenRoot(p.dir)
	if err != nil {
		return fmt.Errorf("gen: %w", err)
	}
	defer root.Close()
	return p.folder.Write(root)
}

func values(parts map[*model.Datatype][]*worker.Part) [][]*worker.Part {
	var out [][]*worker.Part
	for _, p := range parts {
		out = append(out, p)
	}
	return out
}

// partsOf is what programs write for each datatype.
func partsOf(p *model.Project) map[*model.Datatype][]*worker.Part {
	out := map[*model.Datatype][]*worker.Part{}
	for _, d := range p.Datatypes {
		for _, b := range Behaviors {
			if d.Section(b.Name()) == nil {
				continue
			}
			if part := b.Worker(d); part != nil {
				out[d] = append(out[d], part)
			}
		}
	}
	return out
}

// chosen are the datatypes to look at.
func chosen(p *model.Project, parts map[*model.Datatype][]*worker.Part, folder *worker.Folder, names []string) ([]*model.Datatype, error) {
	var out []*model.Datatype
	if names == nil {
		for _, d := range p.Datatypes {
			if parts[d] != nil && folder.Scaffolded(d) {
				out = append(out, d)
			}
		}
		return out, nil
	}
	var with, all []string
	for _, d := range p.Datatypes {
		if d.AddedFor == "" {
			all = append(all, d.Name)
		}
		if parts[d] != nil {
			with = append(with, d.Name)
		}
	}
	for _, name := range names {
		i := slices.IndexFunc(p.Datatypes, func(d *model.Datatype) bool { return d.Name == name && d.AddedFor == "" })
		switch {
		case i < 0 && near.Word(name, all) != "":
			return nil, fmt.Errorf("gen: there is no datatype %q: did you mean %s?", name, near.Word(name, all))
		case i < 0:
			return nil, fmt.Errorf("gen: there is no datatype %q; there are %s", name, strings.Join(all, ", "))
		case parts[p.Datatypes[i]] == nil && len(with) == 0:
			return nil, fmt.Errorf("%w: %s, and for no other datatype of the project", ErrNoHandlers, name)
		case parts[p.Datatypes[i]] == nil:
			return nil, fmt.Errorf("%w: %s; it does for %s", ErrNoHandlers, name, strings.Join(with, ", "))
		}
		out = append(out, p.Datatypes[i])
	}
	return out, nil
}

// workersFolder refuses a folder that has something else.
func workersFolder(c model.Config) error {
	for key, folder := range map[string]string{"datatypes": c.Datatypes, "queries": c.Queries, "output": c.Output, "migrations": c.Migrations} {
		if folder == c.Workers {
			return fmt.Errorf("gen: %s and workers are both in %s: add workers: and another folder to modulagen.yaml", key, folder)
		}
	}
	return nil
}

var moduleLine = regexp.MustCompile(`(?m)^\s*module\s+("?)([^\s"]+)("?)\s*(//.*)?\r?$`)

// generatedImport is the generated package, as the module that the project is in imports it.
func generatedImport(dir string, c model.Config) (source.Import, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return source.Import{}, fmt.Errorf("gen: %w", err)
	}
	for at := abs; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		switch {
		case err == nil:
			m := moduleLine.FindSubmatch(text)
			if m == nil {
				return source.Import{}, fmt.Errorf("gen: %s names no module", filepath.Join(at, "go.mod"))
			}
			below, err := filepath.Rel(at, abs)
			if err != nil {
				return source.Import{}, fmt.Errorf("gen: %w", err)
			}
			return source.Import{Name: c.Package, Path: path.Join(string(m[2]), filepath.ToSlash(below), c.Output)}, nil
		case !errors.Is(err, fs.ErrNotExist):
			return source.Import{}, fmt.Errorf("gen: %w", err)
		case at == filepath.Dir(at):
			return source.Import{}, ErrNoModule
		}
	}
}
