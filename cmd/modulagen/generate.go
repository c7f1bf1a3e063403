package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/output"
)

func (c *command) generate() *cobra.Command {
	var check, dryRun, force, asJSON bool
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Turn the definitions into Go and SQL",
		Long: `Turn the definitions into Go and SQL. Files that would not change are not
written, files that are generated no more are deleted, and files that someone
edited are left alone, with an error that names them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check && (dryRun || force) || dryRun && force {
				return usageError{errors.New("--check, --dry-run and --force exclude each other")}
			}
			g := generation{command: c, asJSON: asJSON, options: gen.Options{ReadOnly: check || dryRun, Force: force}}
			return g.run(cmd.Context(), check, dryRun)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit with 1 and name each file that is not as the definitions say")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "write nothing; print what would change as a diff")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite and delete generated files that someone edited")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was found or done as JSON")
	return cmd
}

func (c *command) check() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the definitions and that the output is theirs; write nothing (for CI)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g := generation{command: c, asJSON: asJSON, options: gen.Options{ReadOnly: true}}
			return g.run(cmd.Context(), true, false)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was found as JSON")
	return cmd
}

// generation is one call of generate or check.
type generation struct {
	*command
	options gen.Options
	asJSON  bool
}

// outcome is what --json prints.
type outcome struct {
	Mistakes []mistake.Mistake `json:"mistakes"`
	Findings []output.Finding  `json:"findings"`
	Changes  []change          `json:"changes"`
	Written  bool              `json:"written"`
	// ChangedSince is the last migration, where the definitions are not those that it recorded.
	ChangedSince string `json:"changed_since,omitempty"`
}

type change struct {
	Path   string        `json:"path"`
	Action output.Action `json:"action"`
}

func (g *generation) run(ctx context.Context, check, dryRun bool) error {
	g.options.Dir, g.options.Version = g.dir, version()
	g.options.Stubs = os.Getenv("GOFILE") != "" && os.Getenv("GOLINE") != "" // go generate sets them
	p := progress{command: g.command, start: time.Now()}
	g.options.Progress = p.stage
	g.options.Say = func(line string) {
		p.clear()
		g.say(line)
	}
	result, err := gen.Generate(ctx, g.options)
	p.end()
	if g.asJSON {
		return g.json(result, err, check)
	}
	if err != nil {
		return err
	}
	switch {
	case check:
		return g.findings(result)
	case dryRun:
		_, err := fmt.Fprint(g.out, result.Plan.Diff())
		return err
	}
	g.done(result, time.Since(p.start))
	return nil
}

func (g *generation) json(result *gen.Result, err error, check bool) error {
	out := outcome{Mistakes: []mistake.Mistake{}, Findings: []output.Finding{}, Changes: []change{}, Written: result.Written}
	var mistakes mistake.List
	var conflict *output.ConflictError
	switch {
	case errors.As(err, &mistakes):
		out.Mistakes = mistakes
	case errors.As(err, &conflict):
		for _, c := range conflict.Conflicts {
			out.Findings = append(out.Findings, output.Finding{Path: c.Path, What: c.Reason})
		}
	case err != nil:
		return err
	}
	if result.Plan != nil {
		if check {
			out.Findings = append(out.Findings, result.Plan.Findings()...)
		}
		for _, c := range result.Plan.Changes {
			out.Changes = append(out.Changes, change{c.Path, c.Action})
		}
	}
	if result.Unrecorded() {
		out.ChangedSince = result.Migrations.Head().Name
	}
	if err := g.printJSON(out); err != nil {
		return err
	}
	if len(out.Mistakes)+len(out.Findings) > 0 {
		return errFound
	}
	return nil
}

// unrecorded says that a migration is missing, which is no mistake yet: "migrate check" finds it.
func (g *generation) unrecorded(result *gen.Result) {
	if result.Unrecorded() {
		fmt.Fprintf(g.err, "the definitions have changed since %s: run modulagen migrate new NAME\n", result.Migrations.Head().Name)
	}
}

// findings names each file that is not as the definitions say.
func (g *generation) findings(result *gen.Result) error {
	g.unrecorded(result)
	found := result.Plan.Findings()
	for _, f := range found {
		fmt.Fprintf(g.err, "%s %s\n", filepath.ToSlash(filepath.Join(result.Project.Config.Output, f.Path)), f.What)
	}
	if len(result.Plan.Conflicts) > 0 {
		fmt.Fprintln(g.err, "move what is not generated elsewhere, and run modulagen generate, or with --force, which loses it")
		return errFound
	}
	if len(found) > 0 {
		fmt.Fprintln(g.err, "run modulagen generate")
		return errFound
	}
	if g.verbose || terminal(g.err) {
		fmt.Fprintf(g.err, "%s and %s are as the definitions say\n",
			count(len(result.Project.Datatypes), "datatype", "datatypes"), count(len(result.Files), "file", "files"))
	}
	return nil
}

// done says what was written. A run that changes nothing says nothing, unless
// it was asked to or a person reads along.
func (g *generation) done(result *gen.Result, took time.Duration) {
	for _, q := range result.Analysed.Queries {
		for _, what := range q.Bypassed {
			fmt.Fprintf(g.err, "%s:%d:%d: %s: %s\n", q.Pos.File, q.Pos.Line, q.Pos.Column, q.Name, what)
		}
	}
	g.unrecorded(result)
	n := map[output.Action]int{}
	for _, c := range result.Plan.Changes {
		n[c.Action]++
		if g.verbose {
			fmt.Fprintf(g.err, "%s %s\n", c.Action, filepath.ToSlash(filepath.Join(result.Project.Config.Output, c.Path)))
		}
	}
	if len(result.Plan.Changes) == 0 && !g.verbose && !terminal(g.err) {
		return
	}
	fmt.Fprintf(g.err, "%s: %d created, %d updated, %d deleted, %d unchanged (%d ms)\n",
		result.Project.Config.Output, n[output.Create], n[output.Update], n[output.Delete], result.Plan.Unchanged, took.Milliseconds())
}

// progress shows how far a run is: in one line on a terminal, which it takes
// back, and a line for each stage with --verbose.
type progress struct {
	*command
	start time.Time
	shown bool
	last  string
	since time.Time
}

// slow is when a run has lasted long enough to tell about.
const slow = 300 * time.Millisecond

func (p *progress) stage(name string, done, total int) {
	now := time.Now()
	if p.verbose {
		if name != p.last {
			p.timing(now)
			p.last, p.since = name, now
		}
		return
	}
	if !terminal(p.err) || now.Sub(p.start) < slow {
		return
	}
	line := name
	if total > 0 {
		line = fmt.Sprintf("%s %d of %d queries", name, done, total)
	}
	fmt.Fprintf(p.err, "\r\x1b[K%s", line)
	p.shown = true
}

func (p *progress) timing(now time.Time) {
	if p.last != "" {
		fmt.Fprintf(p.err, "%-10s %d ms\n", p.last, now.Sub(p.since).Milliseconds())
	}
}

func (p *progress) end() {
	if p.verbose {
		p.timing(time.Now())
	}
	p.clear()
}

// clear takes the line back.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.err, "\r\x1b[K")
		p.shown = false
	}
}
