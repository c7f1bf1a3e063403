//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if text := os.Getenv(childEnv); text != "" {
		os.Exit(child(text))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := chaos(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

var errBroken = errors.New("promises were broken; the evidence is above")

// chaos runs on each database that the environment names.
func chaos(ctx context.Context) error {
	seconds, err := number("CHAOS_SECONDS", 120)
	if err != nil {
		return err
	}
	jobs, err := number("CHAOS_JOBS", 100_000)
	if err != nil {
		return err
	}
	seed, err := number("CHAOS_SEED", rand.Uint64()>>11)
	if err != nil {
		return err
	}
	part := cmp.Or(os.Getenv("CHAOS_PART"), "all")
	if !slices.Contains([]string{"all", "queue", "mail", "cron"}, part) {
		return fmt.Errorf("CHAOS_PART: %q is not queue, mail, cron or all", part)
	}
	does := func(p string) bool { return part == "all" || part == p }
	kinds := cmp.Or(os.Getenv("CHAOS_DATABASE"), "all")
	if kinds == "all" {
		kinds = "sqlite,postgres,mysql"
	}
	databases := strings.Split(kinds, ",")
	share := uint64(len(databases))
	messages, err := number("CHAOS_MESSAGES", 2000)
	if err != nil {
		return err
	}
	var failed []error
	var ran []string
	var results []result
	for _, kind := range databases {
		r := run{
			Seed: seed, For: time.Duration(seconds) * time.Second / time.Duration(share), Jobs: int(jobs / share),
			Workers: 4, Enqueuers: 2, Lease: time.Second, Drain: 2 * time.Minute,
		}
		if does("queue") {
			out, err := one(ctx, kind, r)
			if err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", kind, err))
			}
			if out.Hits != nil {
				ran, results = append(ran, kind), append(results, out)
			}
		}
		if does("mail") {
			m := mailRun{Seed: seed, Messages: int(messages), Kills: 20, Freezes: 4, Workers: 3, Lease: time.Second, Drain: 2 * time.Minute}
			if err := oneOfMail(ctx, kind, m); err != nil {
				failed = append(failed, fmt.Errorf("mail on %s: %w", kind, err))
			}
		}
		if does("cron") {
			c := cronRun{Seed: seed, For: r.For, Kills: 20, Freezes: 8, Changes: 150, Workers: 3, Lease: time.Second, Drain: time.Minute}
			if err := oneOfCron(ctx, kind, c); err != nil {
				failed = append(failed, fmt.Errorf("cron on %s: %w", kind, err))
			}
		}
	}
	if len(ran) > 0 {
		summary(os.Stdout, ran, results)
	}
	return errors.Join(failed...)
}

// number reads a number of the environment.
func number(name string, otherwise uint64) (uint64, error) {
	text := os.Getenv(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%s: %q is not a whole number above 0", name, text)
	}
	return n, nil
}

// one runs on one kind of database, and prints what came of it.
func one(ctx context.Context, kind string, r run) (out result, err error) {
	err = onFresh(ctx, kind, r.Seed, func(dsn, folder string) (broken bool, err error) {
		r.DSN, r.Logs, r.Server = dsn, folder, killable(dsn)
		fmt.Printf("%s: seed %d, %d jobs or %s, %d workers, %d enqueuers, leases of %s\n",
			kind, r.Seed, r.Jobs, r.For, r.Workers, r.Enqueuers, r.Lease)
		if out, err = r.supervise(ctx); err != nil {
			return false, err
		}
		out.print(os.Stdout)
		return out.broken(), nil
	})
	return out, err
}

// oneOfMail does the same with processes that send mail.
func oneOfMail(ctx context.Context, kind string, r mailRun) error {
	return onFresh(ctx, kind, r.Seed, func(dsn, folder string) (broken bool, err error) {
		r.DSN, r.Logs = dsn, folder
		fmt.Printf("mail on %s: seed %d, %d messages, %d workers, leases of %s\n", kind, r.Seed, r.Messages, r.Workers, r.Lease)
		out, err := r.supervise(ctx)
		if err != nil {
			return false, err
		}
		out.print(os.Stdout)
		return out.broken(), nil
	})
}

// oneOfCron does the same with processes that fire schedules.
func oneOfCron(ctx context.Context, kind string, r cronRun) error {
	return onFresh(ctx, kind, r.Seed, func(dsn, folder string) (broken bool, err error) {
		r.DSN, r.Logs = dsn, folder
		fmt.Printf("cron on %s: seed %d, %s, %d processes, leases of %s\n", kind, r.Seed, r.For, r.Workers, r.Lease)
		out, err := r.supervise(ctx)
		if err != nil {
			return false, err
		}
		out.print(os.Stdout)
		return out.broken(), nil
	})
}

// onFresh calls do with a new database and a folder. Logs, and a SQLite file, are kept
// where a promise was broken.
func onFresh(ctx context.Context, kind string, seed uint64, do func(dsn, folder string) (broken bool, err error)) error {
	folder, err := os.MkdirTemp("", "chaos-"+kind+"-")
	if err != nil {
		return err
	}
	broken := false
	defer func() {
		if !broken {
			os.RemoveAll(folder)
		}
	}()
	dsn, drop, err := fresh(ctx, kind, folder)
	if err != nil {
		return err
	}
	defer drop()
	if broken, err = do(dsn, folder); err != nil || !broken {
		return err
	}
	fmt.Println("kept for you to look at:", folder)
	fmt.Printf("again: make chaos CHAOS_DATABASE=%s CHAOS_SEED=%d\n", kind, seed)
	return errBroken
}
