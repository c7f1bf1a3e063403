//go:build unix

package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// The disk under a SQLite file is full while handlers end. Their results are
// kept, and written when there is room again: nothing runs twice. Where a small
// file system can be mounted it is one; else SQLite is told that its file is as
// large as it may be.
func TestDiskIsFull(t *testing.T) {
	t.Parallel()
	for name, makeDisk := range map[string]func(*testing.T) (string, *disk){"file system": smallDisk, "file": smallFile} {
		t.Run(name, func(t *testing.T) {
			folder, disk := makeDisk(t)
			t.Parallel()
			db := open(t, "sqlite:"+filepath.Join(folder, "faults.db"), today.Options{})
			var ids []today.TaskID
			for range 20 {
				ids = append(ids, note(t, db, "begun before"))
			}
			begun, release := make(chan struct{}, len(ids)), make(chan struct{})
			log := newJournal()
			stop := work(t, db, hands{note: func(_ context.Context, j *today.NoteJob) error {
				if j.Payload.Text == "begun before" {
					begun <- struct{}{}
					<-release
				}
				return j.Result(strings.Repeat("y", 100_000)) // takes room
			}}, queue.Options{Concurrency: len(ids), Logger: log.logger()})
			for range ids {
				await(t, "a handler's beginning", begun)
			}
			disk.fill(t, db)
			close(release)
			log.says(t, "results not written yet")
			if row := get(t, db, ids[0]); row.State != today.TaskStateRunning {
				t.Errorf("with a full disk task %d became %s", row.ID, row.State)
			}
			disk.empty(t, db)
			for _, id := range ids {
				is(t, ended(t, db, id), today.TaskStateDone, 1, "")
			}
			is(t, ended(t, db, note(t, db, "after")), today.TaskStateDone, 1, "")
			mustStop(t, stop)
		})
	}
}

// disk can be filled and emptied.
type disk struct {
	limit   func(t *testing.T, db *today.DB) // lets nothing grow
	unlimit func(t *testing.T, db *today.DB)
}

// fill leaves no room for even the smallest change.
func (d *disk) fill(t *testing.T, db *today.DB) {
	t.Helper()
	d.limit(t, db)
	end := time.Now().Add(patience)
	for size := 500_000; size > 0; {
		_, err := db.Task.EnqueueBulk(t.Context(), today.Bulk{Data: []byte(`"` + strings.Repeat("x", size) + `"`)}, func(n *today.TaskNew) {
			n.State = store.Set(today.TaskStateDone) // nobody is to run it
		})
		if err != nil {
			size /= 2
		}
		if time.Now().After(end) {
			t.Fatal("the disk does not become full")
		}
	}
}

func (d *disk) empty(t *testing.T, db *today.DB) {
	t.Helper()
	d.unlimit(t, db)
}

// smallFile is a disk as SQLite imagines it.
func smallFile(t *testing.T) (string, *disk) {
	pages := func(t *testing.T, db *today.DB, n int) {
		t.Helper()
		var set int64
		err := db.Tx(t.Context(), func(tx *today.Tx) error { // on the connection that writes
			return tx.Conn().Query(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", n), nil, []any{&set}, func() error { return nil })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return t.TempDir(), &disk{
		limit:   func(t *testing.T, db *today.DB) { pages(t, db, 1) }, // what there is stays
		unlimit: func(t *testing.T, db *today.DB) { pages(t, db, 1<<30) },
	}
}

// ballast fills a file system with a file.
func ballast(folder string) *disk {
	path := filepath.Join(folder, "ballast")
	return &disk{
		limit: func(t *testing.T, _ *today.DB) {
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			block := make([]byte, 4096)
			for err == nil {
				_, err = f.Write(block)
			}
			if !errors.Is(err, errDiskFull) {
				t.Fatal(err)
			}
		},
		unlimit: func(t *testing.T, _ *today.DB) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	}
}
