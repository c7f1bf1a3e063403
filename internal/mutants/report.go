package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// line is the one line of an entry.
func (o outcome) line() string {
	text := fmt.Sprintf("%-16s  %s/%s (%s, %s)", o.result, o.area, o.Name, o.File, o.took.Round(time.Second/10))
	if o.result != noticed {
		text += "\n    " + strings.ReplaceAll(strings.TrimSpace(o.Why), "\n", "\n    ")
	}
	if o.detail != "" {
		text += "\n    " + strings.ReplaceAll(o.detail, "\n", "\n    ")
	}
	return text
}

// percent of the entries that were noticed.
func percent(all []outcome) float64 {
	n := 0
	for _, o := range all {
		if o.result == noticed {
			n++
		}
	}
	return 100 * float64(n) / float64(len(all))
}

// table counts the outcomes of each package, and of all.
func table(w io.Writer, all []outcome) error {
	packages := map[string][]outcome{}
	for _, o := range all {
		packages[o.pkg()] = append(packages[o.pkg()], o)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	results := []string{noticed, notNoticed, notGo, stale, notRun}
	fmt.Fprintf(t, "package\tmutants\t%s\t%%\t\n", strings.Join(results, "\t"))
	row := func(name string, some []outcome) {
		count := map[string]int{}
		for _, o := range some {
			count[o.result]++
		}
		fmt.Fprintf(t, "%s\t%d\t", name, len(some))
		for _, result := range results {
			fmt.Fprintf(t, "%d\t", count[result])
		}
		fmt.Fprintf(t, "%.0f\t\n", percent(some))
	}
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		row(name, packages[name])
	}
	row("all", all)
	return t.Flush()
}
