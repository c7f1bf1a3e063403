package replays_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
	"github.com/hegner123/modulagen/runtime/webhook"
	"github.com/hegner123/modulagen/runtime/webhook/replays"
)

// onEach runs a test on every database, opened twice, as by two processes.
func onEach(t *testing.T, test func(t *testing.T, one, two *replays.Replays)) {
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "replays.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			open := func() *replays.Replays {
				db, err := generated.Open(t.Context(), dsn, generated.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { db.Close() })
				return replays.New(db.CacheEntry, time.Minute)
			}
			test(t, open(), open())
		})
	}
}

func TestReplays(t *testing.T) {
	onEach(t, func(t *testing.T, one, two *replays.Replays) {
		claim := func(r *replays.Replays, sender, id string, want error) webhook.ReplayClaim {
			t.Helper()
			c, err := r.Claim(t.Context(), sender, id, time.Now().Add(time.Hour))
			if !errors.Is(err, want) || (err == nil) != (c != nil) {
				t.Fatalf("claim of %s: %v; want %v", id, err, want)
			}
			return c
		}
		long := strings.Repeat("i", 255)
		first := claim(one, "", long, nil)
		claim(two, "", long, webhook.ErrInProgress)
		claim(two, "other", long, nil)
		if err := first.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := claim(two, "", long, nil)
		if err := first.Release(t.Context()); err != nil { // it is not its own any more
			t.Fatal(err)
		}
		claim(one, "", long, webhook.ErrInProgress)
		if err := second.Done(t.Context()); err != nil {
			t.Fatal(err)
		}
		claim(one, "", long, webhook.ErrDuplicate)
		claim(two, "", long, webhook.ErrDuplicate)
	})
}

// TestReceiver: of many requests with one message, over two processes, one is handled.
func TestReceiver(t *testing.T) {
	onEach(t, func(t *testing.T, one, two *replays.Replays) {
		secret := webhook.GenerateSecret()
		var handled atomic.Int64
		var servers []*webhook.Receiver
		for _, r := range []*replays.Replays{one, two} {
			rc, err := webhook.NewReceiver(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { handled.Add(1) }), webhook.ReceiverOptions{Keys: []webhook.Verifier{secret}, Replays: r})
			if err != nil {
				t.Fatal(err)
			}
			servers = append(servers, rc)
		}
		header, err := webhook.Sign("msg_1", time.Now(), []byte("{}"), secret)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				req := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
				req.Header = header.Clone()
				w := httptest.NewRecorder()
				servers[i%2].ServeHTTP(w, req)
				if w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable {
					t.Errorf("answered %d", w.Code)
				}
			})
		}
		wg.Wait()
		if n := handled.Load(); n != 1 {
			t.Errorf("handled %d times; want once", n)
		}
	})
}
