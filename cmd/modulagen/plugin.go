package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/lua"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store"
)

func (c *command) plugin() *cobra.Command {
	cmd := &cobra.Command{Use: "plugin", Short: "Try out plugins of cron jobs", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	run := c.pluginRun()
	run.Args = asUsage(run.Args)
	cmd.AddCommand(run)
	return cmd
}

// pluginRun are the flags of plugin run.
type pluginRun struct {
	dir, args string
	http      bool
	asJSON    bool
}

func (c *command) pluginRun() *cobra.Command {
	var f pluginRun
	cmd := &cobra.Command{
		Use:   "run NAME FUNCTION",
		Short: "Call a function of a plugin, and say what it took",
		Long: "Run calls a function of a plugin as a job would, with the bounds that are the default, and prints its\n" +
			"output and what it took. The tool has no database and no generated code: db and cache raise an error, and\n" +
			"enqueue prints what would be enqueued. Requests are made with --http alone.",
		Example: `  modulagen plugin run reports generateDailyReport --args '{"day": "2026-01-31"}'`,
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.args != "" && !json.Valid([]byte(f.args)) {
				return usageError{errors.New("--args is not JSON")}
			}
			return c.tryPlugin(cmd.Context(), args[0], args[1], f)
		},
	}
	cmd.Flags().StringVar(&f.dir, "dir", "plugins", "the folder of plugins")
	cmd.Flags().StringVar(&f.args, "args", "", "the function's args, as JSON")
	cmd.Flags().BoolVar(&f.http, "http", false, "make the requests of http.request, to public addresses over https")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print the result as JSON")
	return cmd
}

// pluginResult is what --json prints.
type pluginResult struct {
	Output       string  `json:"output"`
	Error        string  `json:"error,omitempty"`
	Seconds      float64 `json:"seconds"`
	Instructions int64   `json:"instructions"`
	Memory       int64   `json:"memory"`
	Calls        int     `json:"calls"`
}

func (c *command) tryPlugin(ctx context.Context, name, function string, f pluginRun) error {
	dir := f.dir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.dir, dir)
	}
	var client *egress.Client
	if f.http {
		var err error
		if client, err = egress.New(egress.Options{}); err != nil {
			return err
		}
		defer client.Close()
	}
	var out io.Writer = c.out
	var kept strings.Builder
	if f.asJSON {
		out = &kept
	}
	trial, err := lua.Folder(filepath.ToSlash(dir)).Try(ctx, name, function, store.JSON(f.args), client, out)
	if wrong, ok := errors.AsType[*cron.ConfigError](err); ok {
		return fmt.Errorf("%s %s", map[string]string{"plugin_name": "the plugin", "function": "the function"}[wrong.Path], wrong.Problem)
	}
	if f.asJSON && trial.Duration > 0 {
		return c.pluginJSON(trial, kept.String(), err)
	}
	if trial.Duration > 0 {
		fmt.Fprintf(c.err, "%s, %d instructions, %d KiB of memory, %s\n", trial.Duration.Round(time.Millisecond), trial.Instructions, (trial.Memory+1023)>>10, count(trial.Calls, "call", "calls"))
	}
	return err
}

func (c *command) pluginJSON(trial lua.Trial, output string, failed error) error {
	r := pluginResult{Output: output, Seconds: trial.Duration.Seconds(), Instructions: trial.Instructions, Memory: trial.Memory, Calls: trial.Calls}
	if failed != nil {
		r.Error = failed.Error()
	}
	if err := c.printJSON(r); err != nil {
		return err
	}
	if failed != nil {
		return errFound
	}
	return nil
}
