package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
)

func openBackend(t testing.TB, dsn string) *backend {
	t.Helper()
	b, err := driver{}.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b.(*backend)
}

func exec(t testing.TB, b *backend, sql string) {
	t.Helper()
	if _, err := b.Exec(t.Context(), sql, nil); err != nil {
		t.Fatal(err)
	}
}

// TestFollow looks after each kind of write, in steps.
func TestFollow(t *testing.T) {
	ctx := t.Context()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	own, other := openBackend(t, dsn), openBackend(t, dsn)
	exec(t, own, "CREATE TABLE x (n INTEGER) STRICT")
	woken := 0
	f := follower{b: own, all: func() { woken++ }}
	defer f.close()
	f.start(ctx)
	want := func(n int, what string) {
		t.Helper()
		f.look(ctx)
		if woken != n {
			t.Errorf("%s: woken %d times, want %d", what, woken, n)
		}
	}
	want(0, "nothing has happened")
	exec(t, own, "INSERT INTO x VALUES (1)")
	want(0, "an own write")
	exec(t, other, "INSERT INTO x VALUES (2)")
	want(1, "a foreign write")
	want(1, "nothing more has happened")
	exec(t, other, "INSERT INTO x VALUES (3)")
	exec(t, own, "INSERT INTO x VALUES (4)")
	want(2, "a foreign write and an own one")
	exec(t, other, "DELETE FROM x WHERE n = 99")
	want(2, "a foreign write of nothing")
	undone, err := other.Begin(ctx, store.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := undone.Exec(ctx, "INSERT INTO x VALUES (5)", nil); err != nil {
		t.Fatal(err)
	}
	if err := undone.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(2, "a foreign transaction that was rolled back")

	exec(t, other, "INSERT INTO x VALUES (6)")
	long, err := own.Begin(ctx, store.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range maxWaits {
		want(2, "while the writer cannot be asked")
	}
	want(3, "when it could not be asked for long")
	if err := long.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.look(ctx) // it may wake once more, in vain
	woken = 0
	want(0, "the end of a long transaction")
}

// BenchmarkFollow is one look at a file in which nothing happens.
func BenchmarkFollow(b *testing.B) {
	own := openBackend(b, "sqlite:"+filepath.Join(b.TempDir(), "a.db"))
	exec(b, own, "CREATE TABLE x (n INTEGER) STRICT")
	f := follower{b: own, all: func() {}}
	defer f.close()
	f.start(b.Context())
	b.ReportAllocs()
	for b.Loop() {
		f.look(b.Context())
	}
}
