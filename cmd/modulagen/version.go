package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen/sqlc"
)

func (c *command) version() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of modulagen, of its sqlc and of its Go",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return c.printJSON(map[string]string{"modulagen": version(), "sqlc": sqlc.Version, "go": runtime.Version()})
			}
			fmt.Fprintf(c.out, "modulagen %s (sqlc %s, %s)\n", version(), sqlc.Version, runtime.Version())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
