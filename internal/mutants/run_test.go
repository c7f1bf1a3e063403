package main

import (
	"strings"
	"testing"
	"time"
)

const list = `
- {name: noticed,     file: sum/sum.go, old: a + b, new: a - b,     why: sums are wrong, test: [./sum, -run, TestAdd]}
- {name: endless,     file: sum/sum.go, old: "{ return a + b }", new: "{ for { a++ } }", why: it hangs, test: [./sum, -run, TestAdd]}
- {name: not-noticed, file: sum/sum.go, old: a / 2, new: a / 3,     why: half is wrong,  test: [./sum, -run, TestAdd]}
- {name: not-go,      file: sum/sum.go, old: a / 2, new: 'a / "2"', why: half is wrong,  test: [./sum, -run, TestAdd]}
- {name: moved,       file: sum/sum.go, old: a * b, new: a - b,     why: sums are wrong, test: [./sum, -run, TestAdd]}
- {name: failing,     file: sum/sum.go, old: a + b, new: a - b,     why: sums are wrong, test: [./sum, -run, TestAdd|TestFails]}
- {name: skipping,    file: sum/sum.go, old: a + b, new: a - b,     why: sums are wrong, test: [./sum, -run, TestServer]}
- {name: skips-below, file: sum/sum.go, old: a + b, new: a - b,     why: sums are wrong, test: [./sum, -run, TestHolds/redis]}
- {name: none-below,  file: sum/sum.go, old: a + b, new: a - b,     why: sums are wrong, test: [./sum, -run, TestHolds/gone]}
- {name: serverless,  file: sum/sum.go, old: a + b, new: a - b,     why: sums are wrong, test: [./sum, -run, TestServer], needs: [redis]}
`

// Every outcome, through go test itself.
func TestOutcomes(t *testing.T) {
	dir := project(t, map[string]string{"numbers": list})
	t.Setenv("MODULAGEN_REDIS_ADDR", "")
	all, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{root: dir, scratch: t.TempDir(), timeout: 5 * time.Second, whole: map[string]verdict{}}
	var outcomes []outcome
	for _, m := range all {
		o, err := r.try(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"noticed": noticed, "endless": noticed, "not-noticed": notNoticed, "not-go": notGo,
			"moved": stale, "failing": stale, "skipping": stale, "skips-below": stale, "none-below": stale, "serverless": notRun,
		}[m.Name]
		if o.result != want {
			t.Errorf("%s\nwant %q\n%s", o.line(), want, o.output)
		}
		outcomes = append(outcomes, o)
	}
	if got := percent(outcomes); got != 20 {
		t.Errorf("%v %%, want 20", got)
	}
	var text strings.Builder
	if err := table(&text, outcomes); err != nil {
		t.Fatal(err)
	}
	want := `
  package  mutants  noticed  not noticed  does not compile  stale  not run   %
      sum       10        2            1                 1      5        1  20
      all       10        2            1                 1      5        1  20
`
	if "\n"+text.String() != want {
		t.Errorf("%s\nwant%s", text.String(), want)
	}
}

// Which results say that the test of an entry ran.
func TestRan(t *testing.T) {
	for _, c := range []struct {
		output string
		depth  int
		want   bool
	}{
		{"--- PASS: TestA (0.00s)\n", 0, true},
		{"--- SKIP: TestA (0.00s)\n", 0, false},
		{"--- PASS: TestA (0.00s)\n    --- PASS: TestA/b (0.00s)\n", 1, true},
		{"--- PASS: TestA (0.00s)\n    --- SKIP: TestA/b (0.00s)\n", 0, false},
		{"--- PASS: TestA (0.00s)\n    --- SKIP: TestA/b (0.00s)\n", 1, false},
		{"--- PASS: TestA (0.00s)\n    --- PASS: TestA/b (0.00s)\n        --- SKIP: TestA/b/c (0.00s)\n", 1, false},
		{"--- PASS: TestA (0.00s)\n    --- SKIP: TestA/b (0.00s)\n    --- PASS: TestA/c (0.00s)\n", 1, true},
		{"--- PASS: TestA (0.00s)\n", 1, false},
	} {
		if got := ran([]byte(c.output), c.depth); got != c.want {
			t.Errorf("ran is %t of, at the depth %d:\n%s", got, c.depth, c.output)
		}
	}
}

// How deep a pattern goes below test functions.
func TestDepth(t *testing.T) {
	for run, want := range map[string]int{
		"": 0, "TestA": 0, "TestA|TestB": 0, "TestA/b": 1, "TestA/b/c": 2, "TestA/b|TestB": 0, "TestA/b/c|TestB/c": 1,
		"TestA/(b|c)/d": 2, "TestA/[/]": 1, "Test(A|B)": 0,
	} {
		if got := (mutant{Test: []string{"./sum", "-run", run}}).depth(); got != want {
			t.Errorf("%q goes %d deep, not %d", run, got, want)
		}
	}
}

func TestSelects(t *testing.T) {
	t.Setenv("MUTANTS_AREA", "queue,cache")
	t.Setenv("MUTANTS_NAME", "^beat")
	t.Setenv("MUTANTS_PACKAGE", "runtime/queue$")
	s, err := fromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	m := mutant{Name: "beat-over", File: "runtime/queue/heartbeat.go", area: "queue"}
	if !s.selects(m) {
		t.Error("it is not selected")
	}
	for what, ruin := range map[string]func(*mutant){
		"area":    func(m *mutant) { m.area = "store" },
		"name":    func(m *mutant) { m.Name = "no-beat" },
		"package": func(m *mutant) { m.File = "runtime/queue/queuetest/clock.go" },
	} {
		other := m
		ruin(&other)
		if s.selects(other) {
			t.Errorf("another %s is selected", what)
		}
	}
	t.Setenv("MUTANTS_WANTED", "most")
	if _, err := fromEnvironment(); err == nil {
		t.Error("MUTANTS_WANTED=most is taken")
	}
}
