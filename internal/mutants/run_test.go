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
			"moved": stale, "failing": stale, "skipping": stale, "serverless": notRun,
		}[m.Name]
		if o.result != want {
			t.Errorf("%s\nwant %q\n%s", o.line(), want, o.output)
		}
		outcomes = append(outcomes, o)
	}
	if got := percent(outcomes); got != 25 {
		t.Errorf("%v %%, want 25", got)
	}
	var text strings.Builder
	if err := table(&text, outcomes); err != nil {
		t.Fatal(err)
	}
	want := `
  package  mutants  noticed  not noticed  does not compile  stale  not run   %
      sum        8        2            1                 1      3        1  25
      all        8        2            1                 1      3        1  25
`
	if "\n"+text.String() != want {
		t.Errorf("%s\nwant%s", text.String(), want)
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
