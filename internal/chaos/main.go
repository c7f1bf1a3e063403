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
	kinds := cmp.Or(os.Getenv("CHAOS_DATABASE"), "all")
	if kinds == "all" {
		kinds = "sqlite,postgres,mysql"
	}
	databases := strings.Split(kinds, ",")
	share := uint64(len(databases))
	var failed []error
	var ran []string
	var results []result
	for _, kind := range databases {
		r := run{
			Seed: seed, For: time.Duration(seconds) * time.Second / time.Duration(share), Jobs: int(jobs / share),
			Workers: 4, Enqueuers: 2, Lease: time.Second, Drain: 2 * time.Minute,
		}
		out, err := one(ctx, kind, r)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", kind, err))
		}
		if out.Hits != nil {
			ran, results = append(ran, kind), append(results, out)
		}
	}
	summary(os.Stdout, ran, results)
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

// one runs on one kind of database, and prints what came of it. Logs, and a
// SQLite file, are kept where a promise was broken.
func one(ctx context.Context, kind string, r run) (out result, err error) {
	folder, err := os.MkdirTemp("", "chaos-"+kind+"-")
	if err != nil {
		return out, err
	}
	defer func() {
		if errors.Is(err, errBroken) {
			fmt.Println("kept for you to look at:", folder)
			return
		}
		os.RemoveAll(folder)
	}()
	dsn, drop, err := fresh(ctx, kind, folder)
	if err != nil {
		return out, err
	}
	defer drop()
	r.DSN, r.Logs, r.Server = dsn, folder, killable(dsn)
	fmt.Printf("%s: seed %d, %d jobs or %s, %d workers, %d enqueuers, leases of %s\n",
		kind, r.Seed, r.Jobs, r.For, r.Workers, r.Enqueuers, r.Lease)
	out, err = r.supervise(ctx)
	if err != nil {
		return out, err
	}
	if out.print(os.Stdout); out.broken() {
		fmt.Printf("again: make chaos CHAOS_DATABASE=%s CHAOS_SEED=%d\n", kind, r.Seed)
		return out, errBroken
	}
	return out, nil
}
