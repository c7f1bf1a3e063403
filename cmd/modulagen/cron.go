package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen/crontab"
	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

func (c *command) cron() *cobra.Command {
	cmd := &cobra.Command{Use: "cron", Short: "Explain schedules, and read crontabs", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	for _, sub := range []*cobra.Command{c.cronNext(), c.cronLint()} {
		sub.Args = asUsage(sub.Args)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *command) cronNext() *cobra.Command {
	var zone, from string
	var n int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     `next "EXPRESSION"`,
		Short:   "Explain a schedule in words, and list its next times",
		Example: `  modulagen cron next "30 2 * * mon-fri" --tz Europe/Paris`,
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			after := time.Now()
			if from != "" {
				var err error
				if after, err = time.Parse(time.RFC3339, from); err != nil {
					return usageError{fmt.Errorf("--from is %q; it is a time such as 2026-01-31T12:00:00Z", from)}
				}
			}
			if n < 1 || n > crontab.MaxNext {
				return usageError{fmt.Errorf("-n is %d; it is 1 to %d", n, crontab.MaxNext)}
			}
			o, err := zoned(zone)
			if err != nil {
				return err
			}
			e, err := crontab.Explain(args[0], o, after, n)
			switch {
			case err != nil:
				return c.noSchedule(err)
			case asJSON:
				return c.printJSON(e)
			}
			c.explainSchedule(e)
			return nil
		},
	}
	cmd.Flags().StringVar(&zone, "tz", "", "the time zone of an expression without CRON_TZ=; UTC by default")
	cmd.Flags().StringVar(&from, "from", "", "the time after which the times are, as RFC 3339; now by default")
	cmd.Flags().IntVarP(&n, "number", "n", 10, "how many times are listed")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// zoned reads the flag --tz.
func zoned(zone string) (o schedule.Options, err error) {
	if zone == "" {
		return o, nil
	}
	if o.Location, err = schedule.Location(zone); err != nil {
		return o, usageError{fmt.Errorf("--tz: %w", err)}
	}
	return o, nil
}

// noSchedule prints an expression that is wrong, with a mark below the character.
func (c *command) noSchedule(err error) error {
	e, ok := errors.AsType[*schedule.ParseError](err)
	if !ok {
		return err
	}
	fmt.Fprintf(c.err, "modulagen: %v\n", err)
	if at := e.Character(); len(e.Expr) <= 100 && len(e.Expr) > 0 && printable(e.Expr) {
		fmt.Fprintf(c.err, "  %s\n  %*s\n", e.Expr, at, "^")
	}
	return errFound
}

// printable reports whether a text can be shown as it is.
func printable(text string) bool {
	for _, r := range text {
		if r < ' ' || r > '~' {
			return false
		}
	}
	return true
}

func (c *command) explainSchedule(e *crontab.Explanation) {
	zone := " (" + e.TimeZone + ")"
	if strings.HasPrefix(e.Expression, "CRON_TZ=") {
		zone = ""
	}
	fmt.Fprintf(c.out, "%s\n%s%s\n", e.Expression, e.Words, zone)
	for _, w := range e.Warnings {
		fmt.Fprintf(c.out, "warning: %s\n", w)
	}
	fmt.Fprintln(c.out)
	for _, next := range e.Next {
		fmt.Fprintf(c.out, "%-25s  %s\n", next.Local, next.UTC)
	}
}

func (c *command) cronLint() *cobra.Command {
	var zone string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "lint [FILE]",
		Short:   "Read a crontab, and say for each line what would differ or is wrong here",
		Long:    "Lint reads the crontab of a user or of the system, from a file or, without one or with -, from\nstandard input. It exits with 1 when a line cannot be a schedule here.",
		Example: "  crontab -l | modulagen cron lint --tz Europe/Paris",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o, err := zoned(zone)
			if err != nil {
				return err
			}
			text, err := c.crontab(args)
			if err != nil {
				return err
			}
			report, err := crontab.Lint(text, o)
			switch {
			case err != nil:
				return err
			case asJSON:
				err = c.printJSON(report)
			default:
				c.lintReport(report)
			}
			if err == nil && report.Wrong() {
				err = errFound
			}
			return err
		},
	}
	cmd.Flags().StringVar(&zone, "tz", "", "the time zone of the machine with the crontab; UTC by default")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// crontab reads the file of lint, and no more than it may have.
func (c *command) crontab(args []string) (text []byte, err error) {
	in := c.in
	if len(args) == 1 && args[0] != "-" {
		file, opening := os.Open(args[0])
		if opening != nil {
			return nil, opening
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		in = file
	}
	return io.ReadAll(io.LimitReader(in, crontab.MaxSize+1))
}

func (c *command) lintReport(r *crontab.Report) {
	for _, l := range r.Lines {
		if l.Schedule != "" {
			fmt.Fprintf(c.out, "%d: %s: %s (%s)\n", l.Number, l.Schedule, l.Words, l.TimeZone)
		} else {
			fmt.Fprintf(c.out, "%d: %q\n", l.Number, l.Text)
		}
		for _, f := range l.Findings {
			fmt.Fprintf(c.out, "  %s, character %d: %s\n", f.Level, f.Column, f.Message)
		}
	}
}
