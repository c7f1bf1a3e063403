package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
)

func (c *command) explain() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "explain NAME",
		Short: "Show what a definition turns into: fields, operations, SQL and Go names",
		Args:  exactly(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if result, err := gen.Generate(cmd.Context(), gen.Options{Dir: c.dir, Until: "load"}); err == nil && len(args) == 0 {
				for _, d := range result.Project.Datatypes {
					names = append(names, d.Name)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := gen.Generate(cmd.Context(), gen.Options{Dir: c.dir, Until: "dialect"})
			if err != nil {
				return err
			}
			e, err := gen.Explain(result, args[0])
			if err != nil {
				return usageError{err}
			}
			if asJSON {
				return c.printJSON(e)
			}
			c.explanation(e)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (c *command) explanation(e *gen.Explanation) {
	fmt.Fprintf(c.out, "%s (%s): %s\n", e.Name, e.Definition, e.Label)
	if e.Description != "" {
		fmt.Fprintln(c.out, e.Description)
	}
	fmt.Fprintf(c.out, "\nGo: %s\n", strings.Join(e.Go, ", "))
	c.table("\nFields", "  NAME\tTYPE\tGO\tGO TYPE\tNULL\tBY", func(row func(...any)) {
		for _, f := range e.Fields {
			row(f.Name, f.Type, f.Go, f.GoType, yes(f.Null), f.By)
		}
	})
	c.table("\nIndexes", "  NAME\tCOLUMNS\tUNIQUE", func(row func(...any)) {
		for _, i := range e.Indexes {
			row(i.Name, strings.Join(i.Columns, ", "), yes(i.Unique))
		}
	})
	c.table("\nOperations", "  NAME\tKIND\tKEY", func(row func(...any)) {
		for _, o := range e.Operations {
			row(o.Name, o.Kind, strings.Join(o.Key, ", "))
		}
	})
	for _, s := range e.SQL {
		fmt.Fprintf(c.out, "\nSQL: %s\n\n%s\n", s.Database, indented(s.DDL))
		for _, q := range s.Queries {
			fmt.Fprintf(c.out, "%s\n\n", indented("-- name: "+q.Name+" "+q.Command+"\n"+q.Text+";"))
		}
	}
}

// table prints rows in columns under a title; nothing without rows.
func (c *command) table(title, head string, fill func(row func(...any))) {
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	first := true
	fill(func(cells ...any) {
		if first {
			fmt.Fprintf(w, "%s\n%s\n", title, head)
			first = false
		}
		for i, cell := range cells {
			separator := "\t"
			if i == 0 {
				separator = "  "
			}
			fmt.Fprintf(w, "%s%v", separator, cell)
		}
		fmt.Fprintln(w)
	})
	w.Flush()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func indented(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, l := range lines {
		if l != "" {
			lines[i] = "  " + l
		}
	}
	return strings.Join(lines, "\n")
}
