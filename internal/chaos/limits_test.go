//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// onceJob is one that is unique by its key, from one second to another.
func onceJob(id int64, key string, from, to int) *dossier {
	d := &dossier{jobKey: jobKey{"task", id}, row: &jobRow{kind: "once", key: key, state: done}}
	d.added = &change{queue: "task", job: id, kind: "once", became: ready, at: noon.Add(time.Duration(from) * time.Second)}
	end := change{queue: "task", job: id, kind: "once", was: running, became: done, at: noon.Add(time.Duration(to) * time.Second)}
	d.history = []change{end}
	return d
}

func TestUniqueProof(t *testing.T) {
	for _, test := range []struct {
		what string
		all  []*dossier
		over int
	}{
		{"one after the other", []*dossier{onceJob(1, "a", 0, 2), onceJob(2, "a", 2, 3), onceJob(3, "a", 5, 6)}, 0},
		{"other keys", []*dossier{onceJob(1, "a", 0, 9), onceJob(2, "b", 2, 3)}, 0},
		{"at once", []*dossier{onceJob(1, "a", 0, 4), onceJob(2, "a", 2, 3), onceJob(3, "a", 5, 6)}, 1},
	} {
		p := &proof{evidence: evidenceOf(test.all...)}
		if p.unique(); len(p.found) != test.over {
			t.Errorf("%s: %d found, want %d", test.what, len(p.found), test.over)
		}
	}
}

// claims is a batch of claims by one connection, of which some are refused, and
// the use of the rate that ends it; n of job's numbers are used.
func claims(conn int64, job *int64, at time.Duration, admitted, refused int) []change {
	var all []change
	for i := range admitted + refused {
		*job++
		all = append(all, change{queue: "task", job: *job, kind: "paced", was: ready, became: running, conn: conn, epoch: 1, at: noon.Add(at)})
		if i >= admitted {
			all = append(all, change{queue: "task", job: *job, kind: "paced", was: running, became: ready, conn: conn, at: noon.Add(at)})
		}
	}
	moment := noon.Add(at)
	return append(all, change{queue: "task", kind: "paced", conn: conn, counted: moment.UnixMicro(), at: moment.Add(time.Millisecond)})
}

func TestRateProof(t *testing.T) {
	job := int64(0)
	for _, test := range []struct {
		what     string
		timeline []change
		over     bool
	}{
		{"as many as may", slices.Concat(claims(1, &job, 0, pacedMax, 5), claims(2, &job, pacedEvery, pacedMax, 0)), false},
		{"one too many at once", claims(1, &job, 0, pacedMax+1, 0), true},
		{"one too many in a span", slices.Concat(claims(1, &job, pacedEvery/2, pacedMax, 0), claims(2, &job, pacedEvery*5/4, 1, 0)), true},
		{"not counted", claims(1, &job, 0, 1, 0)[:1], true},
		{"counted by another connection", slices.Concat(claims(1, &job, 0, 1, 0)[:1], claims(2, &job, 0, 1, 0)), true},
	} {
		e := evidenceOf()
		e.timeline = test.timeline
		p := &proof{evidence: e}
		if p.rate(); len(p.found) > 0 != test.over {
			t.Errorf("%s: %d found", test.what, len(p.found))
		}
		for _, v := range p.found {
			if v.breach != overstep {
				t.Errorf("%s: %q counts as %s", test.what, v.rule, v.breach)
			}
		}
	}
}

// The engine's moment counts as far as the database's clock allows it.
func TestRateMoment(t *testing.T) {
	for said, want := range map[time.Duration]time.Duration{
		-time.Hour: 0, 500 * time.Microsecond: 500 * time.Microsecond, time.Hour: time.Millisecond,
	} {
		job := int64(0)
		timeline := claims(1, &job, 0, 1, 0)
		timeline[1].counted = noon.Add(said).UnixMicro()
		starts, _ := startsOf(timeline)
		if got := starts[0].at.Sub(noon); got != want {
			t.Errorf("said to be %s after the claim, the start counts as %s after it, want %s", said, got, want)
		}
	}
}

// What the sampler must not see, written into the tables by hand.
func TestSampler(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "chaos.db")
			if kind != "sqlite" {
				dsn = storetest.FreshDSN(t, kind)
			}
			if err := makeTables(t.Context(), dsn); err != nil {
				t.Fatal(err)
			}
			r, err := openReader(dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			add := func(jobType, state string) {
				_, err := r.ExecContext(t.Context(), "INSERT INTO task (job_type, payload, state, queue_name) VALUES ('"+jobType+"', '{\"token\": 1, \"key\": \"k\"}', '"+state+"', 'quick')")
				if err != nil {
					t.Fatal(err)
				}
			}
			add("once", ready)
			add("once", done)
			add("capped", running)
			add("capped", running)
			add("capped", ready)
			if found := sampled(t, r); len(found) > 0 {
				t.Fatalf("found %v in what is allowed", found)
			}
			add("once", running)
			add("capped", running)
			found := sampled(t, r)
			slices.Sort(found)
			if text := strings.Join(found, "; "); text != "2 jobs of key k, which is unique, were unfinished at once; 3 jobs of key k ran at once" {
				t.Errorf("found %q", text)
			}
		})
	}
}

// sampled looks twice.
func sampled(t *testing.T, r *reader) (rules []string) {
	t.Helper()
	s := &sampler{reader: r}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.looked = func(n int) {
		if n == 2 {
			cancel()
		}
	}
	s.run(ctx)
	for _, v := range s.found {
		rules = append(rules, v.rule)
	}
	return rules
}

// What a process noted is read as it was meant, also when it died in a note.
func TestDiary(t *testing.T) {
	folder := t.TempDir()
	d, err := openDiary(settings{Logs: folder, Role: roleWorker, Slot: 1, Generation: 2})
	if err != nil {
		t.Fatal(err)
	}
	d.note(noteAcked, []int64{1, 2, 3})
	d.note(noteUnsure, []int64{4})
	d.note(noteFailed, "task", int64(12), int64(3))
	all, err := readDiaries(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(all.acked) != 1 || !slices.Equal(all.acked[0], tokens{1, 2, 3}) || len(all.unsure) != 1 || !slices.Equal(all.unsure[0], tokens{4}) ||
		!all.failed[claimOf{jobKey{"task", 12}, 3}] {
		t.Errorf("read %+v", all)
	}
	if err := os.WriteFile(filepath.Join(folder, "other.diary"), []byte("failed task twelve 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readDiaries(folder); err == nil {
		t.Error("a diary that makes no sense is read")
	}
}
