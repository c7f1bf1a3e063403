// Command bench measures modulagen beside its peers and prints what it found.
//
//	make bench                        every suite, as tables
//	make bench SUITE=store            one suite
//	make bench SUITE=store FORMAT=json    one JSON object a line
//
// A row has both sides' figures from the same run, their ratio (above 1 when
// ours is better) and the ratio that is asked for, if one is. Rows whose peer
// is called "limit" compare ours with an absolute figure that is asked for.
// Notes (versions, rounds, durability) go to standard error, marked "#".
//
// It exits 0 when everything could be measured, whatever the figures: a target
// that is missed on a busy machine is news, not a failure. -strict makes it 1.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/hegner123/modulagen/bench/cache"
	"github.com/hegner123/modulagen/bench/cron"
	"github.com/hegner123/modulagen/bench/event"
	"github.com/hegner123/modulagen/bench/generate"
	"github.com/hegner123/modulagen/bench/mail"
	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/bench/migrate"
	"github.com/hegner123/modulagen/bench/queue"
	"github.com/hegner123/modulagen/bench/store"
	"github.com/hegner123/modulagen/bench/webhook"
)

// suites in the order in which they run.
var suites = []struct {
	name string
	run  func(ctx context.Context, parent string, report *measure.Report) error
}{
	{"store", store.Run},
	{"queue", queue.Run},
	{"cache", cache.Run},
	{"event", event.Run},
	{"webhook", webhook.Run},
	{"mail", mail.Run},
	{"cron", cron.Run},
	{"migrate", migrate.Run},
	{"generate", generate.Run},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == queue.WorkerCommand {
		if err := queue.Work(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 3 && os.Args[1] == cache.WorkerCommand {
		if err := cache.Work(context.Background(), os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 4 && os.Args[1] == mail.WorkerCommand {
		if err := mail.Work(context.Background(), os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 3 && os.Args[1] == cron.WorkerCommand {
		if err := cron.Work(context.Background(), os.Args[2], os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	suite := flag.String("suite", "", "run only this suite: store, queue, cache, event, webhook, mail, cron, migrate or generate")
	format := flag.String("format", "table", "table or json")
	strict := flag.Bool("strict", false, "exit 1 when a target is missed")
	flag.Parse()
	if flag.NArg() > 0 || (*format != "table" && *format != "json") || !known(*suite) {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report := measure.NewReport(os.Stdout, os.Stderr, *format == "json")
	if err := run(ctx, *suite, report); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if report.Missed > 0 {
		report.Note("%d row(s) below target", report.Missed)
		if *strict {
			os.Exit(1)
		}
	}
}

func known(name string) bool {
	for _, s := range suites {
		if name == "" || s.name == name {
			return true
		}
	}
	return false
}

func run(ctx context.Context, only string, report *measure.Report) error {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/hegner123/modulagen").Output()
	if err != nil {
		return fmt.Errorf("where the module under test is: %w", err)
	}
	parent := strings.TrimSpace(string(out))
	for _, s := range suites {
		if only != "" && s.name != only {
			continue
		}
		if err := s.run(ctx, parent, report); err != nil {
			return fmt.Errorf("suite %s: %w", s.name, err)
		}
	}
	return nil
}
