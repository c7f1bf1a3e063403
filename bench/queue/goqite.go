package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"maragu.dev/goqite"
	"maragu.dev/goqite/jobs"
)

// goqiteLimit is how many jobs its runner runs at once. With many more, deletions
// wait for the one connection longer than the second that the runner gives them.
const goqiteLimit = 50

// goqiteSchema reads the schema that its documentation has users install; its
// module carries it as a file.
var goqiteSchema = sync.OnceValues(func() (string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "maragu.dev/goqite").Output()
	if err != nil {
		return "", fmt.Errorf("where the module of goqite is: %w", err)
	}
	schema, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema_sqlite.sql"))
	return string(schema), err
})

// goqiteSide is goqite with its runner of jobs; finished messages are deleted.
type goqiteSide struct {
	db    *sql.DB
	queue *goqite.Queue
	*counter
}

func openGoqite(ctx context.Context, at place) (side, error) {
	db, err := sql.Open("sqlite", at.Native)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // as its documentation does
	db.SetMaxIdleConns(1)
	schema, err := goqiteSchema()
	if err == nil {
		_, err = db.ExecContext(ctx, schema)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	count, err := openCounter(at, "SELECT count(*) FROM goqite", "")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &goqiteSide{db, goqite.New(goqite.NewOpts{DB: db, Name: "jobs", Timeout: 30 * time.Second}), count}, nil
}

func (s *goqiteSide) Enqueue(ctx context.Context, n int) error {
	_, err := jobs.Create(ctx, s.queue, "noop", goqite.Message{Body: []byte(encode(n))})
	return err
}

func (s *goqiteSide) EnqueueMany(ctx context.Context, from, count int) error {
	return inTx(ctx, s.db, func(tx *sql.Tx) error {
		for n := from; n < from+count; n++ {
			if _, err := jobs.CreateTx(ctx, tx, s.queue, "noop", goqite.Message{Body: []byte(encode(n))}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *goqiteSide) Work(ctx context.Context, handle func(n int)) (func() error, error) {
	runner := jobs.NewRunner(jobs.NewRunnerOpts{Queue: s.queue, Limit: goqiteLimit, PollInterval: time.Millisecond, Extend: 30 * time.Second})
	runner.Register("noop", func(_ context.Context, body []byte) error {
		n, err := decode(body)
		if err == nil {
			handle(n)
		}
		return err
	})
	return loops(ctx, 1, func(ctx context.Context) error { runner.Start(ctx); return nil }), nil
}

func (s *goqiteSide) Close() error { return errors.Join(s.db.Close(), s.counter.db.Close()) }
