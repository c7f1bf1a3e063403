package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/cron/backup"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

var due = time.Date(2026, 1, 2, 2, 0, 0, 0, time.UTC)

func ctx() context.Context { return context.Background() }

// TestRestore backs up each database while rows are added, two in each transaction, restores it into a new one
// and opens that as a program does.
func TestRestore(t *testing.T) {
	for kind, both := range map[string][]bool{"sqlite": {false}, "postgres": {false, true}, "mysql": {true}} {
		for _, compressed := range both {
			t.Run(fmt.Sprintf("%s/zstd=%v", kind, compressed), func(t *testing.T) {
				t.Parallel()
				ctx := t.Context()
				dsn := fresh(t, kind)
				db := storetest.Open(t, dsn, store.Options{})
				var ids []storetest.ArticleID
				for i := range 50 {
					a, err := db.Article.Create(ctx, storetest.ArticleNew{
						Slug: fmt.Sprintf("slug-%d", i), Title: "日本語 \"quoted\" \\ ' ; --", Token: store.Set("secret"),
						Cover: store.Set([]byte{0, 1, 0xff, '\'', '\n', 0x1a}), Price: store.Set(decimal.RequireFromString("19.90")),
					})
					if err != nil {
						t.Fatal(err)
					}
					ids = append(ids, a.ID)
				}
				began, stop := addPairs(t, dsn)
				<-began
				dir := t.TempDir()
				res, err := backup.Make(ctx, db.DB, backup.Options{Dir: dir, Due: due, Zstd: compressed, Keep: 3})
				if err != nil {
					t.Fatal(err)
				}
				stop()
				only(t, dir, filepath.Base(res.File))
				info, err := os.Stat(res.File)
				if err != nil || info.Mode().Perm() != 0o600 || info.Size() != res.Bytes || res.Bytes < 1000 {
					t.Errorf("the file is %v, %v; the result says %d bytes", info, err, res.Bytes)
				}
				restored := storetest.Open(t, restore(t, kind, res.File), store.Options{})
				for _, id := range ids {
					want, wantErr := db.Article.Get(ctx, id)
					got, err := restored.Article.Get(ctx, id)
					if err != nil || wantErr != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) || got.Token != "secret" || !bytes.Equal(got.Cover, want.Cover) {
						t.Fatalf("article %d is %+v, %v; it was %+v, %v", id, got, err, want, wantErr)
					}
				}
				pairsAreWhole(t, restored)
			})
		}
	}
}

func fresh(t *testing.T, kind string) string {
	t.Helper()
	if kind == "sqlite" {
		return "sqlite:" + filepath.Join(t.TempDir(), "shop.db")
	}
	return storetest.FreshDSN(t, kind)
}

// addPairs adds articles, two in each transaction, until stop is called. began is closed with the first.
func addPairs(t *testing.T, dsn string) (began chan struct{}, stop func()) {
	t.Helper()
	other := storetest.Open(t, dsn, store.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	began, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			err := other.Tx(context.Background(), func(c *core.Conn) error {
				tx := storetest.In(c)
				for half := range 2 {
					if _, err := tx.Article.Create(context.Background(), storetest.ArticleNew{
						Slug: fmt.Sprintf("pair-%d-%d", i, half), Title: "pair", Rank: store.Set(int64(i + 1000)),
					}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				done <- err
				return
			}
			if i == 0 {
				close(began)
			}
		}
		done <- nil
	}()
	return began, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// pairsAreWhole holds that of each transaction both rows are there, or neither.
func pairsAreWhole(t *testing.T, db *storetest.DB) {
	t.Helper()
	halves := map[int64]int{}
	for a, err := range db.Article.All(t.Context(), store.Query[storetest.ArticleID]{Where: storetest.ArticleFields.Rank.NotNull()}) {
		if err != nil {
			t.Fatal(err)
		}
		halves[a.Rank.V]++
	}
	if len(halves) == 0 {
		t.Error("nothing of what was added before is there")
	}
	for rank, n := range halves {
		if n != 2 {
			t.Errorf("of transaction %d there are %d rows", rank, n)
		}
	}
}

// restore does what docs/backups.md says, and returns the DSN of the new database.
func restore(t *testing.T, kind, file string) string {
	t.Helper()
	if plain, ok := strings.CutSuffix(filepath.Base(file), ".zst"); ok {
		to := filepath.Join(t.TempDir(), plain)
		decompress(t, file, to)
		file = to
	}
	if kind == "sqlite" {
		to := filepath.Join(t.TempDir(), "restored.db")
		if err := os.Rename(file, to); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + to
	}
	dsn := storetest.FreshDSN(t, kind)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the DSN is malformed")
	}
	password, _ := u.User.Password()
	var cmd *exec.Cmd
	if kind == "postgres" {
		cmd = exec.Command("pg_restore", "--no-owner", "--exit-on-error", "--dbname="+strings.TrimPrefix(u.Path, "/"), file)
		cmd.Env = append(os.Environ(), "PGHOST="+u.Hostname(), "PGPORT="+u.Port(), "PGUSER="+u.User.Username(), "PGPASSWORD="+password)
	} else {
		cmd = exec.Command("mariadb", "--no-defaults", "-h", u.Hostname(), "-P", u.Port(), "-u", u.User.Username(), strings.TrimPrefix(u.Path, "/"))
		cmd.Env = append(os.Environ(), "MYSQL_PWD="+password)
		if cmd.Stdin, err = os.Open(file); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("restoring: %v\n%s", err, out)
	}
	return dsn
}

func decompress(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := zstd.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := out.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
}

// only holds that a folder has these files and no other.
func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("the folder has %q, want %q", have, want)
	}
}

func openSQLite(t *testing.T) *core.DB {
	t.Helper()
	db := storetest.Open(t, fresh(t, "sqlite"), store.Options{})
	if _, err := db.Article.Create(t.Context(), storetest.ArticleNew{Slug: "one", Title: "one"}); err != nil {
		t.Fatal(err)
	}
	return db.DB
}

// TestKeep removes the oldest backups of the database, and nothing else.
func TestKeep(t *testing.T) {
	db, dir := openSQLite(t), t.TempDir()
	others := []string{
		"shop-20260101T020000Z.sql", "shop-2-20260101T020000Z.db", "shop-20260101T020000Z.db.bak", "shop-20260101.db",
		"other-20260101T020000Z.db", "shop.db", "shop-20261301T020000Z.db", "xshop-20260101T020000Z.db",
	}
	for _, name := range others {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	make := func(o backup.Options) backup.Result {
		t.Helper()
		o.Dir = dir
		res, err := backup.Make(t.Context(), db, o)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	make(backup.Options{Due: due})
	make(backup.Options{Due: due.Add(1500 * time.Millisecond)}) // RunNow has such instants
	make(backup.Options{Due: due.Add(time.Second), Zstd: true})
	only(t, dir, append([]string{"shop-20260102T020000Z.db", "shop-20260102T020001.500000Z.db", "shop-20260102T020001Z.db.zst"}, others...)...)
	res := make(backup.Options{Due: due.Add(time.Hour), Keep: 2})
	if want := []string{"shop-20260102T020001Z.db.zst", "shop-20260102T020000Z.db"}; !slices.Equal(res.Removed, want) {
		t.Errorf("removed %q, want %q", res.Removed, want)
	}
	only(t, dir, append([]string{"shop-20260102T020001.500000Z.db", "shop-20260102T030000Z.db"}, others...)...)

	// A late one of an earlier instant is not removed by itself.
	make(backup.Options{Due: due.Add(-time.Hour), Keep: 1})
	only(t, dir, append([]string{"shop-20260102T010000Z.db"}, others...)...)
}

// TestAgain makes no second backup of an instant.
func TestAgain(t *testing.T) {
	db, dir := openSQLite(t), t.TempDir()
	first, err := backup.Make(t.Context(), db, backup.Options{Dir: dir, Due: due, Run: 7, Attempt: 1})
	if err != nil || first.There {
		t.Fatal(first, err)
	}
	before, err := os.Stat(first.File)
	if err != nil {
		t.Fatal(err)
	}
	again, err := backup.Make(t.Context(), db, backup.Options{Dir: dir, Due: due, Run: 7, Attempt: 2})
	after, statErr := os.Stat(first.File)
	if err != nil || statErr != nil || !again.There || !os.SameFile(before, after) {
		t.Errorf("the second attempt: %+v, %v, %v", again, err, statErr)
	}
	results := make(chan error, 4)
	for i := range 4 { // at once
		go func() {
			_, err := backup.Make(context.Background(), db, backup.Options{Dir: dir, Due: due.Add(time.Minute), Run: int64(10 + i), Attempt: 1})
			results <- err
		}()
	}
	for range 4 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	only(t, dir, "shop-20260102T020000Z.db", "shop-20260102T020100Z.db")
}

// TestFolders refuses what is no folder, and links that lead out of it.
func TestFolders(t *testing.T) {
	db, dir, outside := openSQLite(t), t.TempDir(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	must(os.Symlink(outside, filepath.Join(dir, "link")))
	must(os.Symlink(filepath.Join(dir, "real"), filepath.Join(outside, "backups")))
	must(os.Mkdir(filepath.Join(dir, "real"), 0o700))
	for name, o := range map[string]backup.Options{
		"a file":                 {Dir: filepath.Join(dir, "file")},
		"below a file":           {Dir: dir, Sub: "file"},
		"a link out":             {Dir: dir, Sub: "link"},
		"below a link out":       {Dir: dir, Sub: "link/new"},
		"a folder of the kernel": {Dir: "/proc/self/none"},
	} {
		o.Due = due
		if res, err := backup.Make(t.Context(), db, o); err == nil {
			t.Errorf("%s: %+v", name, res)
		}
	}
	only(t, outside, "backups")
	res, err := backup.Make(t.Context(), db, backup.Options{Dir: filepath.Join(outside, "backups"), Sub: "daily", Due: due})
	if err != nil {
		t.Errorf("a folder that is a link of the operator's: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "real", "daily", filepath.Base(res.File))); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(dir, "real", "daily"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder was made as %v, %v", info, err)
	}
	must(os.Mkdir(filepath.Join(dir, "shop-20260102T020000Z.db"), 0o700))
	if _, err := backup.Make(t.Context(), db, backup.Options{Dir: dir, Due: due}); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a folder with the name of the backup: %v", err)
	}
}

// TestEnds leaves nothing when its context ends.
func TestEnds(t *testing.T) {
	db, dir := openSQLite(t), t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	if _, err := backup.Make(ctx, db, backup.Options{Dir: dir, Due: due}); err == nil {
		t.Error("it did not end")
	}
	only(t, dir)
}

// TestAbandoned removes what a killed process left: at once what was its own run's, and the rest when nobody
// has written to it for a while.
func TestAbandoned(t *testing.T) {
	db, dir := openSQLite(t), t.TempDir()
	old := time.Now().Add(-time.Hour)
	for name, at := range map[string]time.Time{
		".shop-20260101T020000Z.db.7-1-0.partial":         time.Now(), // of run 7, which this is
		".shop-20260101T020000Z.db.7-1-0.partial-journal": time.Now(),
		".shop-20260101T020000Z.db.8-1-0.partial":         time.Now(), // of a run that goes on
		".shop-20260101T020000Z.db.9-1-0.partial":         old,
		".other-20260101T020000Z.sql.9-1-0.partial":       old, // of another database, and nobody's
		"notes.partial": old,
		".hidden":       old,
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := backup.Make(t.Context(), db, backup.Options{Dir: dir, Due: due, Run: 7, Attempt: 2}); err != nil {
		t.Fatal(err)
	}
	only(t, dir, ".hidden", ".shop-20260101T020000Z.db.8-1-0.partial", "notes.partial", "shop-20260102T020000Z.db")
	if _, err := os.Stat(filepath.Join(dir, "shop-20260102T020000Z.db")); errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
