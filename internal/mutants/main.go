package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	needs := flag.Bool("needs", false, "print the servers that the selected entries need, and end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *needs); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, needs bool) error {
	s, err := fromEnvironment()
	if err != nil {
		return err
	}
	all, err := read(".")
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(all, func(m mutant) bool { return !s.selects(m) })
	if len(chosen) == 0 {
		return errors.New("no entry is selected; see MUTANTS_AREA, MUTANTS_NAME and MUTANTS_PACKAGE")
	}
	if needs {
		printNeeds(chosen)
		return nil
	}
	outcomes, err := s.tryAll(ctx, chosen)
	if err != nil {
		return err
	}
	fmt.Println()
	if err := table(os.Stdout, outcomes); err != nil {
		return err
	}
	if got := percent(outcomes); got < s.wanted {
		return fmt.Errorf("%.1f %% were noticed, wanted: %.1f %%", got, s.wanted)
	}
	return nil
}

// settings come from the environment; see doc.go.
type settings struct {
	areas      []string // none: all
	name, pkg  *regexp.Regexp
	timeout    time.Duration
	wanted     float64
	showOutput bool
}

func fromEnvironment() (settings, error) {
	s := settings{showOutput: os.Getenv("MUTANTS_VERBOSE") == "1"}
	if areas := os.Getenv("MUTANTS_AREA"); areas != "" {
		s.areas = strings.Split(areas, ",")
	}
	var errs [4]error
	s.name, errs[0] = regexp.Compile(os.Getenv("MUTANTS_NAME"))
	s.pkg, errs[1] = regexp.Compile(os.Getenv("MUTANTS_PACKAGE"))
	s.timeout, errs[2] = time.ParseDuration(cmp.Or(os.Getenv("MUTANTS_TIMEOUT"), "3m"))
	s.wanted, errs[3] = strconv.ParseFloat(cmp.Or(os.Getenv("MUTANTS_WANTED"), "90"), 64)
	return s, errors.Join(errs[:]...)
}

func (s settings) selects(m mutant) bool {
	return (len(s.areas) == 0 || slices.Contains(s.areas, m.area)) && s.name.MatchString(m.Name) && s.pkg.MatchString(m.pkg())
}

func printNeeds(chosen []mutant) {
	var all []string
	for _, m := range chosen {
		all = append(all, m.Needs...)
	}
	slices.Sort(all)
	for _, need := range slices.Compact(all) {
		fmt.Println(need)
	}
}

// tryAll tries one entry after the other: two tests at a time would take longer
// each, and some watch the clock.
func (s settings) tryAll(ctx context.Context, chosen []mutant) ([]outcome, error) {
	root, err := filepath.Abs(".")
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	r := &runner{root: root, scratch: scratch, timeout: s.timeout, whole: map[string]verdict{}}
	var outcomes []outcome
	for _, m := range chosen {
		o, err := r.try(ctx, m)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", m.area, m.Name, err)
		}
		fmt.Println(o.line())
		if s.showOutput && o.output != "" {
			fmt.Println(o.output)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}
