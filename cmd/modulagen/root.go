package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen/mistake"
)

// Exit codes.
const (
	exitOK      = 0
	exitFinding = 1
	exitUsage   = 2
)

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// command is what all commands share.
type command struct {
	streams
	dir     string // -C
	verbose bool
}

// errFound is a finding that was reported already.
var errFound = errors.New("found")

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run is the whole program but for its process.
func run(ctx context.Context, args []string, s streams) int {
	c := &command{streams: s}
	root := c.root()
	root.SetArgs(args)
	return c.report(root.ExecuteContext(ctx))
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "modulagen",
		Short:         "YAML definitions become typed Go on SQLite, PostgreSQL and MySQL",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.PersistentFlags().StringVarP(&c.dir, "directory", "C", ".", "the project's folder")
	root.PersistentFlags().BoolVarP(&c.verbose, "verbose", "v", false, "say what is done, and how long it takes")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, sub := range []*cobra.Command{
		c.init(), c.generate(), c.check(), c.new(), c.scaffold(), c.migrate(), c.schema(), c.explain(), c.mail(), c.cron(), c.plugin(), c.version(),
	} {
		sub.Args = asUsage(sub.Args)
		root.AddCommand(sub)
	}
	root.Args = knownCommand(root)
	return root
}

// knownCommand refuses what is no command below cmd.
func knownCommand(cmd *cobra.Command) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return usageError{fmt.Errorf("unknown command %q%s", withoutSecrets(args[0]), suggestion(cmd, args[0]))}
	}
}

func suggestion(root *cobra.Command, arg string) string {
	if near := root.SuggestionsFor(arg); len(near) > 0 {
		return ": did you mean " + near[0] + "?"
	}
	return ""
}

// asUsage makes the refusal of arguments a wrong use.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// exactly demands as many arguments as the command's usage names.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return fmt.Errorf("%s takes %s and has %d: write %s", cmd.CommandPath(), count(n, "argument", "arguments"), len(args), cmd.Parent().CommandPath()+" "+cmd.Use)
	}
}

// report prints an error and gives the exit code.
func (c *command) report(err error) int {
	var usage usageError
	var mistakes mistake.List
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFinding
	case errors.As(err, &usage):
		fmt.Fprintf(c.err, "modulagen: %v\nsee modulagen --help\n", usage.error)
		return exitUsage
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(c.err, "modulagen: interrupted")
		return exitFinding
	case errors.As(err, &mistakes):
		for _, m := range mistakes {
			fmt.Fprintln(c.err, c.painted(m))
		}
		fmt.Fprintf(c.err, "%s\n", count(len(mistakes), "mistake", "mistakes"))
		return exitFinding
	}
	fmt.Fprintf(c.err, "modulagen: %s\n", ofPackage.ReplaceAllString(err.Error(), ""))
	return exitFinding
}

// ofPackage is the package that an error is of, which a person who runs the tool does not know.
var ofPackage = regexp.MustCompile(`^(gen(/[a-z]+)?|output|load|golang|sqlc|scaffold|program): `)

// say prints what is done that takes long.
func (c *command) say(line string) { fmt.Fprintf(c.err, "modulagen: %s\n", line) }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// painted is a mistake, with its message in bold on a terminal.
func (c *command) painted(m mistake.Mistake) string {
	if !terminal(c.err) || os.Getenv("NO_COLOR") != "" {
		return m.String()
	}
	m.Message = "\x1b[1;31m" + m.Message + "\x1b[0m"
	if m.Hint != "" {
		m.Hint = "\x1b[32m" + m.Hint + "\x1b[0m"
	}
	return m.String()
}

// terminal reports whether a person reads along.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// printJSON writes a value for a tool to read.
func (c *command) printJSON(v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
