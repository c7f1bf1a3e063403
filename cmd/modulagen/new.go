package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/datatypes"
	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/scaffold"
)

func (c *command) new() *cobra.Command {
	from := ""
	cmd := &cobra.Command{
		Use:     "new NAME",
		Short:   "Write a new definition",
		Example: "  modulagen new blog_post\n  modulagen new import_jobs --from job_queue",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, err := os.OpenRoot(c.dir)
			if err != nil {
				return err
			}
			defer root.Close()
			config, err := load.Config(root.FS(), gen.Behaviors)
			if err != nil {
				return err
			}
			path, err := scaffold.Add(c.dir, config.Datatypes, args[0], from)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "wrote %s; now run modulagen generate\n", path)
			if from == "" {
				return nil
			}
			return c.handlers(cmd.Context(), args[0])
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "copy this built-in definition")
	_ = cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(datatypes.Names(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// handlers writes those of a new datatype, if a program has to write any. What keeps it from that, and what
// a person has to add, does not undo the definition: scaffold finds it later.
func (c *command) handlers(ctx context.Context, name string) error {
	s := scaffolding{command: c}
	plan, err := gen.Workers(ctx, gen.WorkersOptions{Dir: c.dir, Names: []string{name}})
	if errors.Is(err, gen.ErrNoHandlers) {
		return nil
	}
	if err == nil {
		err = plan.Write()
	}
	if err != nil {
		fmt.Fprintf(c.err, "its handlers are not written: %v\nrun modulagen scaffold %s then\n", err, name)
		return nil
	}
	s.written(plan)
	s.byHand(plan)
	return nil
}
