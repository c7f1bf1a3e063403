package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/output"
	"github.com/hegner123/modulagen/gen/worker"
)

func (c *command) scaffold() *cobra.Command {
	s := scaffolding{command: c}
	cmd := &cobra.Command{
		Use:   "scaffold [NAME...]",
		Short: "Write the handlers of a datatype, with their tests, or add what they lack",
		Long: `Write the handlers of a datatype: a type with a method for each thing that the
definition needs of the program, its place in generated.Workers, and a test of each
method. What is there already stays as it is, line by line; what the definition has
come to need since is added. Without NAME, the datatypes are those that were
scaffolded before.`,
		Example: "  modulagen scaffold job_queue\n  modulagen scaffold --check",
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if result, err := gen.Generate(cmd.Context(), gen.Options{Dir: c.dir, Until: "load"}); err == nil {
				for _, d := range result.Project.Datatypes {
					names = append(names, d.Name)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.check && s.dryRun {
				return usageError{errors.New("--check and --dry-run exclude each other")}
			}
			return s.run(cmd.Context(), args)
		},
	}
	cmd.Flags().BoolVar(&s.check, "check", false, "write nothing; exit with 1 and list what is missing")
	cmd.Flags().BoolVar(&s.dryRun, "dry-run", false, "write nothing; print what would be added as a diff")
	cmd.Flags().BoolVar(&s.asJSON, "json", false, "print what was found or added as JSON")
	return cmd
}

// scaffolding is one call of scaffold.
type scaffolding struct {
	*command
	check, dryRun, asJSON bool
}

// scaffolded is what --json prints.
type scaffolded struct {
	Mistakes  []mistake.Mistake `json:"mistakes"`
	Datatypes []string          `json:"datatypes"` // that were looked at
	Missing   []worker.Lack     `json:"missing"`   // before the run
	Changes   []change          `json:"changes"`
	Written   bool              `json:"written"`
}

func (s *scaffolding) run(ctx context.Context, names []string) error {
	if len(names) == 0 {
		names = nil
	}
	plan, err := gen.Workers(ctx, gen.WorkersOptions{Dir: s.dir, Names: names})
	if err == nil && !s.check && !s.dryRun {
		err = plan.Write()
	}
	if s.asJSON {
		return s.json(plan, err)
	}
	if err != nil {
		return err
	}
	if s.dryRun {
		for _, c := range plan.Changes {
			if _, err := fmt.Fprint(s.out, output.Diff(c.Path, c.Before, c.After)); err != nil {
				return err
			}
		}
		return s.left(plan)
	}
	if s.check {
		return s.missing(plan)
	}
	s.written(plan)
	return s.left(plan)
}

func (s *scaffolding) json(plan *gen.WorkersPlan, err error) error {
	out := scaffolded{Mistakes: []mistake.Mistake{}, Datatypes: []string{}, Missing: []worker.Lack{}, Changes: []change{}}
	var mistakes mistake.List
	switch {
	case errors.As(err, &mistakes):
		out.Mistakes = mistakes
	case err != nil:
		return err
	default:
		out.Datatypes, out.Written = plan.Datatypes, !s.check && !s.dryRun
		out.Missing = append(out.Missing, plan.Lacks...)
		for _, c := range plan.Changes {
			out.Changes = append(out.Changes, change{c.Path, action(c.Before)})
		}
	}
	if err := s.printJSON(out); err != nil {
		return err
	}
	if len(out.Mistakes) > 0 || s.check && len(out.Missing) > 0 {
		return errFound
	}
	for _, l := range out.Missing {
		if l.ByHand != "" {
			return errFound
		}
	}
	return nil
}

func action(before []byte) output.Action {
	if before == nil {
		return output.Create
	}
	return output.Update
}

// missing lists what is missing.
func (s *scaffolding) missing(plan *gen.WorkersPlan) error {
	for _, l := range plan.Lacks {
		fmt.Fprintln(s.err, l)
	}
	if len(plan.Lacks) > 0 {
		fmt.Fprintln(s.err, "run modulagen scaffold")
		return errFound
	}
	if s.verbose || terminal(s.err) {
		fmt.Fprintf(s.err, "%s with handlers in %s: nothing is missing\n", count(len(plan.Datatypes), "datatype", "datatypes"), plan.Config.Workers)
	}
	return nil
}

// written says what was added.
func (s *scaffolding) written(plan *gen.WorkersPlan) {
	for _, c := range plan.Changes {
		did := "added to"
		if c.Before == nil {
			did = "wrote"
		}
		fmt.Fprintf(s.err, "%s %s\n", did, c.Path)
	}
	switch {
	case len(plan.Datatypes) == 0:
		fmt.Fprintf(s.err, "no datatype has handlers in %s yet: name one, as in modulagen scaffold job_queue\n", plan.Config.Workers)
	case len(plan.Changes) == 0 && (s.verbose || terminal(s.err)):
		fmt.Fprintln(s.err, "nothing is missing")
	}
	if s.verbose {
		for _, l := range plan.Lacks {
			if l.ByHand == "" {
				fmt.Fprintf(s.err, "%s: %s, for %s (%s)\n", l.File, l.What, l.For, l.Definition)
			}
		}
	}
}

// left is a finding where a person has to add something.
func (s *scaffolding) left(plan *gen.WorkersPlan) error {
	if s.byHand(plan) {
		return errFound
	}
	return nil
}

// byHand says what a person has to add, if anything.
func (s *scaffolding) byHand(plan *gen.WorkersPlan) (found bool) {
	for _, l := range plan.Lacks {
		if l.ByHand != "" {
			fmt.Fprintln(s.err, l)
			found = true
		}
	}
	return found
}
