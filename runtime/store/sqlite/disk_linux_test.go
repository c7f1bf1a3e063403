package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// TestNoRoom lets no file grow beyond a limit, as a disk that becomes full does.
func TestNoRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := storetest.Open(t, "sqlite:"+path, store.Options{})
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: 1 << 20, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	_, err := db.Article.Create(t.Context(), storetest.ArticleNew{Slug: "big", Title: "Title", Body: store.Set(strings.Repeat("x", 2<<20))})
	if back := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); back != nil {
		t.Fatal(back)
	}
	if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), path+": file too large") {
		t.Errorf("the error is %v", err)
	}
	if _, err := db.Article.Create(t.Context(), storetest.ArticleNew{Slug: "small", Title: "Title"}); err != nil {
		t.Error(err)
	}
}

// TestNoPermission opens files and folders that a user other than root may not write.
func TestNoPermission(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.Chmod(filepath.Dir(filepath.Dir(dir)), 0o755)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.db")
	db, err := core.Open(t.Context(), "sqlite:"+path, nil, store.Options{})
	if err == nil {
		_, err = db.Conn().Exec(t.Context(), "CREATE TABLE t (id INTEGER)", nil)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file       string
		mode, up   os.FileMode // of the file and of its folder
		opens      bool
		want, what string
	}{
		{"a.db", 0o666, 0o555, false, "this program cannot write to the folder " + dir, "the folder"},
		{"a.db", 0o444, 0o777, true, "this program has no permission to write " + path, "the file"},
		{"a.db", 0o000, 0o777, false, path + ": permission denied", "not even read"},
		{"b.db", 0o666, 0o555, false, "there is no such file, and this program cannot create it: it needs the permission to write to the folder " + dir, "a new file"},
	} {
		if err := errors.Join(os.Chmod(path, c.mode), os.Chmod(dir, c.up)); err != nil {
			t.Fatal(err)
		}
		opened, err := writeAsOther(t, "sqlite:"+filepath.Join(dir, c.file))
		if opened != c.opens || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: opened %v, %v", c.what, opened, err)
		}
	}
}

// writeAsOther opens a database and writes, on a thread whose user is not root to the file system.
func writeAsOther(t *testing.T, dsn string) (opened bool, err error) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // and the thread ends with the goroutine
		if os.Geteuid() == 0 {
			if err = syscall.Setfsuid(65534); err != nil {
				return
			}
		}
		db, failed := core.Open(t.Context(), dsn, nil, store.Options{})
		if err = failed; err != nil {
			return
		}
		opened = true
		_, err = db.Conn().Exec(t.Context(), "INSERT INTO t VALUES (1)", nil)
		err = errors.Join(err, db.Close())
	}()
	<-ended
	return opened, err
}
