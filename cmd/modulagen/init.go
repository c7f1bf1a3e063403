package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/scaffold"
)

func (c *command) init() *cobra.Command {
	i := initialization{command: c}
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a new project, which builds and runs as it stands",
		Long: `Make a new project: go.mod, modulagen.yaml, copies of the built-in definitions,
generate.go, a small main.go, the handlers of job_queue in workers/, the first migration, and what
they generate. A program that was built
from a checkout writes a replace to that checkout into go.mod; a released one
asks for its own version.`,
		Example: "  modulagen init shop\n  modulagen init shop --db postgres",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := c.dir
			if len(args) == 1 {
				dir = args[0]
				if !filepath.IsAbs(dir) {
					dir = filepath.Join(c.dir, dir)
				}
			}
			return i.run(cmd.Context(), dir)
		},
	}
	cmd.Flags().BoolVar(&i.force, "force", false, "make the project in a folder that holds something; existing files stay as they are")
	cmd.Flags().StringVar(&i.module, "module", "", "the module's path; the folder's name by default")
	cmd.Flags().StringSliceVar(&i.databases, "db", nil, "the databases that the project targets: sqlite, postgres, mysql, or several with commas; all three by default")
	cmd.Flags().StringVar(&i.replace, "replace", "", "the checkout of modulagen to use")
	return cmd
}

type initialization struct {
	*command
	force           bool
	module, replace string
	databases       []string
}

func (i *initialization) run(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	project, err := i.project(dir)
	if err != nil {
		return err
	}
	files, err := project.Files()
	if err != nil {
		return err
	}
	kept, err := scaffold.Write(dir, files, i.force)
	if errors.Is(err, scaffold.ErrNotEmpty) {
		return fmt.Errorf("%w (--force writes what is missing, and over nothing)", err)
	}
	if err != nil {
		return err
	}
	for _, name := range kept {
		fmt.Fprintf(i.err, "kept %s as it was\n", name)
	}
	if project.Replace != "" {
		fmt.Fprintf(i.err, "go.mod uses the checkout %s\n", project.Replace)
	}
	if err := i.finish(ctx, dir, !slices.Contains(kept, "main.go")); err != nil {
		return err
	}
	run := "go run ."
	if dsn := project.ExampleDSN(); dsn != "" {
		run = "DATABASE_URL=" + dsn + " " + run
	}
	fmt.Fprintf(i.err, "made %s; try:\n  cd %s\n  %s\n", project.Module, dir, run)
	return nil
}

func (i *initialization) project(dir string) (scaffold.Project, error) {
	p := scaffold.Project{Module: i.module, Version: version(), Replace: i.replace}
	if err := i.targets(&p); err != nil {
		return p, err
	}
	if p.Module == "" {
		p.Module = scaffold.ModuleName(dir)
	}
	if p.Version == devel {
		p.Version = unreleased
		if p.Replace == "" {
			p.Replace = checkout()
		}
		if p.Replace == "" {
			return p, usageError{errors.New("this program was not built from a release, and its sources are not to be found: use --replace CHECKOUT")}
		}
	}
	if p.Replace != "" {
		abs, err := filepath.Abs(p.Replace)
		if err != nil {
			return p, err
		}
		p.Replace = seenFrom(dir, abs)
	}
	return p, nil
}

// seenFrom returns the path of a checkout for the go.mod of a project: relative to it, so
// that it holds on other machines and in containers that have both; or its full path where
// ".." would lead elsewhere, through a symbolic link.
func seenFrom(dir, checkout string) string {
	relative, err := filepath.Rel(dir, checkout)
	if err != nil { // another volume
		return checkout
	}
	there, err := os.Stat(checkout)
	if err != nil {
		return checkout
	}
	here, err := os.Stat(filepath.Join(physical(dir), relative))
	if err != nil || !os.SameFile(there, here) {
		return checkout
	}
	if relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		relative = "." + string(filepath.Separator) + relative
	}
	return relative
}

// physical returns a folder without symbolic links on its way, also of one that is not
// there yet.
func physical(dir string) string {
	if at, err := filepath.EvalSymlinks(dir); err == nil {
		return at
	}
	if parent := filepath.Dir(dir); parent != dir {
		return filepath.Join(physical(parent), filepath.Base(dir))
	}
	return dir
}

// targets reads the databases of --db.
func (i *initialization) targets(p *scaffold.Project) error {
	for _, name := range i.databases {
		if !slices.Contains(model.Databases, model.Database(name)) {
			hint := "it is sqlite, postgres or mysql, or several with commas between them"
			if meant := load.DatabaseMeant(name); meant != "" {
				hint = "write " + meant
			}
			return usageError{fmt.Errorf("--db names the unknown database %q; %s", name, hint)}
		}
	}
	for _, db := range model.Databases {
		if slices.Contains(i.databases, string(db)) {
			p.Databases = append(p.Databases, db)
		}
	}
	return nil
}

// finish generates, writes the handlers that the new main.go names, and has Go find what go.mod needs.
func (i *initialization) finish(ctx context.Context, dir string, handlers bool) error {
	options := gen.Options{Dir: dir, Version: version(), Say: i.say}
	made, read, err := gen.Lacking(ctx, options, "init")
	if err != nil {
		return err
	}
	if read.Migrations.Head() != nil {
		made = nil // of a project that was there
	}
	for _, m := range made {
		if err := m.Write(dir, read.Project.Config.Migrations); err != nil {
			return err
		}
	}
	if _, err := gen.Generate(ctx, options); err != nil {
		return err
	}
	if handlers {
		plan, err := gen.Workers(ctx, gen.WorkersOptions{Dir: dir, Names: []string{scaffold.Handled}, Bodies: scaffold.Bodies})
		if err != nil {
			return err
		}
		if err := plan.Write(); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "tidy")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the project is written, but go mod tidy failed in %s: %w\n%s", dir, err, out)
	}
	return nil
}
