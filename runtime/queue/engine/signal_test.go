package engine_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
)

// childDSN makes this test binary a worker: TestMain runs it instead of tests.
const childDSN = "QUEUE_TEST_CHILD_DSN"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childDSN); dsn != "" {
		os.Exit(child(dsn))
	}
	os.Exit(m.Run())
}

// child works a queue until a signal comes, and says on its output what happens.
// Its handler of image 1 ends with its parent's word, that of others never.
func child(dsn string) int {
	ctx, stop := queue.UntilSignal(context.Background())
	defer stop()
	db, err := generated.Open(context.Background(), dsn, generated.Options{})
	if err != nil {
		fmt.Println("open:", err)
		return 1
	}
	defer db.Close()
	context.AfterFunc(ctx, func() { fmt.Println("stopping") })
	err = db.Run(ctx, generated.Workers{
		JobQueueOptions: queue.Options{StopTimeout: time.Minute, Lease: 2 * time.Second},
		JobQueue: images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			fmt.Println("started")
			if j.Payload.MediaID != 1 {
				select {}
			}
			_, err := bufio.NewReader(os.Stdin).ReadString('\n')
			return err
		}),
	})
	fmt.Println("run:", err)
	if errors.Is(err, queue.ErrLeft) {
		return 3
	}
	return 0
}

type process struct {
	*exec.Cmd
	lines chan string
	say   func(string)
}

func startChild(t *testing.T, p place) process {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childDSN+"="+p.dsn)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return process{c, lines, func(s string) { fmt.Fprintln(in, s) }}
}

func (p process) expect(t *testing.T, want string) {
	t.Helper()
	if got := receive(t, p.lines, want); got != want {
		t.Fatalf("the process said %q, want %q", got, want)
	}
}

func (p process) signal(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// The first signal lets the handler finish.
func TestOneSignal(t *testing.T) {
	onPlaces(t, func(t *testing.T, p place) {
		db := p.open(t, generated.Options{})
		id := enqueue(t, db, 1)
		c := startChild(t, p)
		c.expect(t, "started")
		c.signal(t)
		c.expect(t, "stopping")
		c.say("finish")
		c.expect(t, "run: <nil>")
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
		if row := get(t, db, id); row.Status != generated.JobQueueStatusCompleted || row.Attempts != 1 {
			t.Errorf("the row is %s, attempts %d", row.Status, row.Attempts)
		}
	})
}

// The second signal ends the process at once, however long handlers take. Their
// jobs are not lost: they run again.
func TestTwoSignals(t *testing.T) {
	onPlaces(t, func(t *testing.T, p place) {
		db := p.open(t, generated.Options{})
		id := enqueue(t, db, 2)
		c := startChild(t, p)
		c.expect(t, "started")
		c.signal(t)
		c.expect(t, "stopping")
		c.signal(t)
		c.expect(t, "run: queue: handlers did not return in time: 1 of job_queue run on")
		if err := c.Wait(); c.ProcessState.ExitCode() != 3 {
			t.Errorf("the process ended with %v, want its own status 3", err)
		}
		if row := get(t, db, id); row.Status != generated.JobQueueStatusProcessing {
			t.Errorf("the row is %s: it was to be left as it was", row.Status)
		}
		work(t, db, fails(nil), queue.Options{Lease: 2 * time.Second})
		if row := await(t, db, id, generated.JobQueueStatusCompleted); row.Attempts != 2 || len(failures(t, row)) != 1 {
			t.Errorf("after %d attempts the failures are %s", row.Attempts, row.QueueErrors.V)
		}
	})
}
