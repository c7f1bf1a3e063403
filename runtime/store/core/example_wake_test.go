package core_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// openTasks returns a database in memory with one table.
func openTasks(ctx context.Context) *core.DB {
	db, err := core.Open(ctx, "sqlite::memory:", nil, store.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Conn().Exec(ctx, "CREATE TABLE task (id INTEGER PRIMARY KEY, name TEXT, state TEXT) STRICT", nil); err != nil {
		log.Fatal(err)
	}
	return db
}

func ExampleDB_Listen() {
	ctx := context.Background()
	db := openTasks(ctx)
	defer db.Close()

	l := db.Listen("task")
	defer l.Stop()
	<-l.C // it hears everything from now on

	err := db.Tx(ctx, func(c *core.Conn) error {
		c.Announce("task") // wakes after the commit
		_, err := c.Exec(ctx, "INSERT INTO task (name, state) VALUES ('mail', 'ready')", nil)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}

	<-l.C
	var name string
	err = db.Conn().QueryRow(ctx, "SELECT name FROM task WHERE state = 'ready'", nil, []any{&name})
	fmt.Println(name, err)
	// Output: mail <nil>
}

func ExampleConn_AfterCommit() {
	ctx := context.Background()
	db := openTasks(ctx)
	defer db.Close()

	for _, fails := range []bool{true, false} {
		err := db.Tx(ctx, func(c *core.Conn) error {
			c.AfterCommit(func() { fmt.Println("cache emptied") })
			if fails {
				return errors.New("no budget")
			}
			return nil
		})
		fmt.Println("transaction:", err)
	}
	// Output:
	// transaction: no budget
	// cache emptied
	// transaction: <nil>
}

func ExampleExecEach() {
	ctx := context.Background()
	db := openTasks(ctx)
	defer db.Close()

	add := &core.Statement{Text: [3]string{ // SQLite, PostgreSQL, MySQL
		"INSERT INTO task (name, state) VALUES (?, ?)",
		"INSERT INTO task (name, state) VALUES ($1, $2)",
		"INSERT INTO task (name, state) VALUES (?, ?)",
	}, Params: []string{"name", "state"}}
	names := []string{"mail", "import", "thumb"}

	touched, err := core.ExecEach(ctx, db.Conn(), add, len(names), func(i int) []any { return []any{names[i], "ready"} })
	fmt.Println(touched, err)

	_, err = core.ExecEach(ctx, db.Conn(), add, len(names), func(i int) []any { return []any{"nul\x00", "ready"} })
	fmt.Println(errors.Is(err, store.ErrInvalid), err)
	// Output:
	// [1 1 1] <nil>
	// true store: invalid: parameter name: the text is not UTF-8 or holds a NUL byte
}
