package generate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hegner123/modulagen/bench/measure"
)

// A project is a folder of definitions that one of the two sides generates from.
type project struct {
	work   *workplace
	name   string // folder under the workplace
	edited string // the file that an edit changes
	edits  int
	watch  *[]measure.Usage // where runs from nothing note what they took; nil: nowhere

	after   string             // the line of that file after which an edit adds a field
	field   func(n int) string // the line that adds field n
	forget  func() error       // removes what an earlier run left
	command func(ctx context.Context) *exec.Cmd
}

// nothing is a sample of a run that finds only the definitions.
func (p *project) nothing(ctx context.Context) measure.Sample {
	return func() (float64, error) {
		if err := p.forget(); err != nil {
			return 0, err
		}
		return p.run(ctx, p.watch)
	}
}

// oneEdited is a sample of a run after one definition got a new field.
func (p *project) oneEdited(ctx context.Context) measure.Sample {
	return func() (float64, error) {
		if err := p.edit(); err != nil {
			return 0, err
		}
		return p.run(ctx, nil)
	}
}

func (p *project) run(ctx context.Context, usages *[]measure.Usage) (float64, error) {
	usage, err := measure.Run(p.command(ctx))
	if err != nil {
		return 0, err
	}
	if usages != nil {
		*usages = append(*usages, usage)
	}
	return usage.Wall.Seconds(), nil
}

// edit puts a field that never was there into one definition, in place of the
// one that the edit before put there.
func (p *project) edit() error {
	path := p.work.path(p.name, p.edited)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	before, after, found := strings.Cut(string(text), p.after+"\n")
	if !found {
		return fmt.Errorf("generate: %s has no line %q to edit after", path, p.after)
	}
	after = strings.TrimPrefix(after, p.field(p.edits)+"\n")
	p.edits++
	return writeFile(path, []byte(before+p.after+"\n"+p.field(p.edits)+"\n"+after))
}

// lines counts the lines of Go that were generated.
func (p *project) lines(skip string) (int, error) {
	total := 0
	root := p.work.path(p.name)
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		if strings.HasPrefix(path, filepath.Join(root, skip)+string(filepath.Separator)) {
			return nil
		}
		text, err := os.ReadFile(path)
		total += strings.Count(string(text), "\n")
		return err
	})
	return total, err
}

// ours is a project of this generator.
func ours(w *workplace, name, edited string) *project {
	cache := filepath.Join(w.cache, name)
	return &project{
		work: w, name: name, edited: filepath.Join("datatypes", edited),
		after: "fields:",
		field: func(n int) string { return fmt.Sprintf("  - {name: edit_%d, type: text, max: 100}", n) },
		forget: func() error {
			if err := os.RemoveAll(cache); err != nil {
				return err
			}
			return os.RemoveAll(w.path(name, "generated"))
		},
		command: func(ctx context.Context) *exec.Cmd {
			cmd := exec.CommandContext(ctx, w.modulagen, "generate")
			cmd.Dir = w.path(name)
			cmd.Env = environment("MODULAGEN_CACHE="+cache, "MODULAGEN_SQLC="+w.analyser)
			return cmd
		},
	}
}

// entProject is a project of ent.
func entProject(w *workplace, name, edited string) *project {
	return &project{
		work: w, name: name, edited: filepath.Join("schema", edited),
		after:  "\treturn []ent.Field{",
		field:  func(n int) string { return fmt.Sprintf("\t\tfield.String(\"edit_%d\").MaxLen(100).Optional(),", n) },
		forget: func() error { return keepOnly(w.path(name), "schema") },
		command: func(ctx context.Context) *exec.Cmd {
			cmd := exec.CommandContext(ctx, w.ent, "./schema")
			cmd.Dir, cmd.Env = w.path(name), environment()
			return cmd
		},
	}
}

// keepOnly empties a folder but for one entry.
func keepOnly(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == keep {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	}
	return nil
}
