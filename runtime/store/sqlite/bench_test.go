package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

func openBench(b *testing.B, options string, ddl ...string) *core.DB {
	b.Helper()
	db, err := core.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "a.db")+options, nil, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	for _, text := range ddl {
		if _, err := db.Conn().Exec(b.Context(), text, nil); err != nil {
			b.Fatal(err)
		}
	}
	return db
}

// BenchmarkInsert adds rows one at a time from several goroutines.
func BenchmarkInsert(b *testing.B) {
	for _, synchronous := range []string{"full", "normal"} {
		for _, workers := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d", synchronous, workers), func(b *testing.B) {
				db := openBench(b, "?synchronous="+synchronous, "CREATE TABLE x (id INTEGER PRIMARY KEY, n INTEGER, s TEXT) STRICT")
				var left atomic.Int64
				left.Store(int64(b.N))
				var wg sync.WaitGroup
				b.ReportAllocs()
				b.ResetTimer()
				for range workers {
					wg.Go(func() {
						for left.Add(-1) >= 0 {
							if _, err := db.Conn().Exec(b.Context(), "INSERT INTO x (n, s) VALUES (?, ?)", []any{int64(1), "text"}); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

// job stands for a row of a queue.
type job struct {
	ID, Priority, Attempts, Max, Epoch, Version, Seq int64
	Status, Kind, Payload, Name, Unique, Error, Hold string
	CreatedAt, RunAt                                 time.Time
	StartedAt, CompletedAt, Lease                    store.Null[time.Time]
	Note                                             store.Null[string]
}

func (j *job) fields() []any {
	return []any{
		&j.ID, &j.Priority, &j.Attempts, &j.Max, &j.Epoch, &j.Version, &j.Seq,
		&j.Status, &j.Kind, &j.Payload, &j.Name, &j.Unique, &j.Error, &j.Hold,
		&j.CreatedAt, &j.RunAt, &j.StartedAt, &j.CompletedAt, &j.Lease, &j.Note,
	}
}

const (
	jobTable = `CREATE TABLE job (id INTEGER PRIMARY KEY, priority INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
	max INTEGER NOT NULL DEFAULT 5, epoch INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1, seq INTEGER NOT NULL DEFAULT 0,
	status TEXT NOT NULL DEFAULT 'ready', kind TEXT NOT NULL DEFAULT 'import', payload TEXT NOT NULL DEFAULT '{"path":"a.csv"}',
	name TEXT NOT NULL DEFAULT 'default', uniq TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', hold TEXT NOT NULL DEFAULT '',
	created_at TEXT NOT NULL DEFAULT '2026-01-16T09:30:00.000000Z', run_at TEXT NOT NULL DEFAULT '2026-01-16T09:30:00.000000Z',
	started_at TEXT, completed_at TEXT, lease TEXT, note TEXT) STRICT`
	jobIndex = `CREATE INDEX job_ready ON job (priority DESC, id) WHERE status = 'ready'`
	claimJob = `UPDATE job SET status = 'running', epoch = epoch + 1, attempts = attempts + 1, started_at = ?, lease = ?
	WHERE id IN (SELECT id FROM job WHERE status = 'ready' ORDER BY priority DESC, id LIMIT ?) RETURNING id, priority, attempts, max, epoch,
	version, seq, status, kind, payload, name, uniq, error, hold, created_at, run_at, started_at, completed_at, lease, note`
	doneJob = `UPDATE job SET status = 'done', completed_at = ? WHERE id = ? AND epoch = ? AND status = 'running'`
)

func same(text string) *core.Statement { return &core.Statement{Text: [3]string{text, text, text}} }

// BenchmarkClaimDone claims 200 rows of a queue's width in one statement and
// completes them in another call; figures are for one row.
func BenchmarkClaimDone(b *testing.B) {
	const batch = 200
	db := openBench(b, "", jobTable, jobIndex)
	_, err := db.Conn().Exec(b.Context(), fmt.Sprintf(`WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < %d)
		INSERT INTO job (priority) SELECT 0 FROM n`, b.N+batch), nil)
	if err != nil {
		b.Fatal(err)
	}
	claim, done := same(claimJob), same(doneJob)
	var claiming, completing time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		now, start := time.Now(), time.Now()
		jobs, err := core.Many(b.Context(), db.Conn(), claim, []any{now, now.Add(time.Minute), int64(batch)}, (*job).fields)
		if err != nil || len(jobs) != batch {
			b.Fatal(len(jobs), err)
		}
		claimed := time.Now()
		touched, err := core.ExecEach(b.Context(), db.Conn(), done, len(jobs), func(i int) []any {
			return []any{&now, &jobs[i].ID, &jobs[i].Epoch}
		})
		if err != nil || touched[0] != 1 {
			b.Fatal(touched, err)
		}
		claiming += claimed.Sub(start)
		completing += time.Since(claimed)
	}
	b.ReportMetric(float64(claiming.Nanoseconds())/float64(b.N), "claim-ns")
	b.ReportMetric(float64(completing.Nanoseconds())/float64(b.N), "done-ns")
}
