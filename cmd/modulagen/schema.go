package main

import (
	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/jsonschema"
)

func (c *command) schema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the definition language",
		Long: `Print the JSON Schema of the definition language, with which an editor completes
and checks definitions. "modulagen init" keeps it in .modulagen/schema.json; after
an update of modulagen, write it there again:

  modulagen schema > .modulagen/schema.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := c.out.Write(jsonschema.Schema(gen.Grammar()))
			return err
		},
	}
}
