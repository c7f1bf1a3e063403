// Package post_test tests mailboxes on every database, with a real SMTP server.
package post_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/internal/post/generated"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
	"github.com/hegner123/modulagen/runtime/queue"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// onEach runs a test on every database, with a fresh one each.
func onEach(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Parallel()
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "post.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			t.Parallel()
			db, err := generated.Open(t.Context(), dsn, generated.Options{MaxConns: 8})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			test(t, &fixture{T: t, db: db})
		})
	}
}

// fixture is a database with mailboxes.
type fixture struct {
	*testing.T
	db *generated.DB
}

// must ends the test at an error.
func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

// soon has nothing wait for long.
var soon = queue.Options{
	Poll: 10 * time.Millisecond, Lease: 5 * time.Second,
	Backoff: func(int, error) time.Duration { return 10 * time.Millisecond },
}

// smtp sends through a server, and tries again at once.
func smtp(t *testing.T, srv *mailtest.Server) mail.Options {
	return mail.Options{
		SMTP:   srv.SMTP(),
		Queue:  soon,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// work sends mail until the test ends, or until stop.
func (f *fixture) work(s mail.Sender) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.Context()))
	done := make(chan error, 1)
	go func() { done <- f.db.Run(ctx, generated.Workers{Mail: s}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			f.Error("Run:", err)
		}
	})
	f.Cleanup(stop)
	return stop
}

// send adds a message from the shop.
func (f *fixture) send(m mail.Message) generated.EmailQueueID {
	f.Helper()
	if m.From == "" {
		m.From = "Shop <shop@shop.example>"
	}
	if m.Subject == "" {
		m.Subject = "Your order"
	}
	if m.Plain == "" && m.HTML == "" {
		m.Plain = "It is on its way."
	}
	id, err := f.db.EmailQueue.Send(f.Context(), m)
	if err != nil {
		f.Fatal(err)
	}
	return id
}

// ended waits for the end of a message.
func (f *fixture) ended(id generated.EmailQueueID) *generated.EmailQueue {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	row, err := f.db.EmailQueue.Await(ctx, id)
	if err != nil {
		f.Fatal(err)
	}
	return row
}

// is reports a message whose state is another one.
func (f *fixture) is(row *generated.EmailQueue, want generated.EmailQueueStatus) {
	f.Helper()
	if row.Status != want {
		f.Fatalf("the message is %s, want %s: %s", row.Status, want, row.Error.V)
	}
}

// to is a list of one recipient.
func to(address string) []string { return []string{address} }
