package main

import (
	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/jsonschema"
)

func (c *command) schema() *cobra.Command {
	configuration := false
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the definition language",
		Long: `Print the JSON Schema of the definition language, or with --config that of
modulagen.yaml, with which an editor completes and checks what is written there.
"modulagen init" keeps both in .modulagen; after an update of modulagen, write them
there again:

  modulagen schema > .modulagen/schema.json
  modulagen schema --config > .modulagen/config.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text := jsonschema.Schema(gen.Grammar())
			if configuration {
				text = jsonschema.Config(gen.Configuration())
			}
			_, err := c.out.Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&configuration, "config", false, "print the schema of modulagen.yaml")
	return cmd
}
