package evolution_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// classes is a log of the runner that looks at the tables of MySQL when a step begins and ends. InnoDB
// gives a table that is written again, in place or as a copy, another id: a step that does so has a class
// to which a person has to agree, or destroys something.
type classes struct {
	db    *core.DB
	ids   []string
	wrong []error
}

// watched returns the log for a database; nil where it is no MySQL.
func watched(db *core.DB) (*slog.Logger, *classes) {
	c := &classes{db: db}
	if db.Conn().Dialect() != sqltext.MySQL {
		return nil, c
	}
	return slog.New(c), c
}

func (*classes) Enabled(context.Context, slog.Level) bool { return true }
func (c *classes) WithAttrs([]slog.Attr) slog.Handler     { return c }
func (c *classes) WithGroup(string) slog.Handler          { return c }

func (c *classes) Handle(ctx context.Context, r slog.Record) error {
	begins := strings.HasSuffix(r.Message, ": a step begins")
	if !begins && !strings.HasSuffix(r.Message, ": a step has ended") {
		return nil
	}
	now, err := tableIDs(ctx, c.db.Conn())
	if err != nil {
		c.wrong = append(c.wrong, err)
		return err
	}
	if begins {
		c.ids = now
		return nil
	}
	class, what := "", []string{}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "class" {
			class = a.Value.String()
		}
		what = append(what, a.String())
		return true
	})
	for _, id := range now {
		if !slices.Contains(c.ids, id) && wasThere(c.ids, id) && !slices.Contains([]script.Class{script.Rewrites, script.Destroys}, script.Class(class)) {
			c.wrong = append(c.wrong, fmt.Errorf("a step that is %s wrote a table again: %s (%s)", class, id, strings.Join(what, " ")))
		}
	}
	return nil
}

// wasThere reports whether the table of an entry was there before.
func wasThere(before []string, id string) bool {
	name, _, _ := strings.Cut(id, " ")
	return slices.ContainsFunc(before, func(b string) bool { return strings.HasPrefix(b, name+" ") })
}

func (c *classes) err() error { return errors.Join(c.wrong...) }

// tableIDs are "database/table id" of each table. MariaDB and MySQL have different names for the list.
func tableIDs(ctx context.Context, c *core.Conn) (all []string, err error) {
	var list, id string
	err = c.QueryRow(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME IN ('INNODB_SYS_TABLES', 'INNODB_TABLES')", nil, []any{&list})
	if err != nil {
		return nil, err
	}
	err = c.Query(ctx, "SELECT CONCAT(NAME, ' ', TABLE_ID) FROM information_schema."+list+" WHERE NAME LIKE CONCAT(DATABASE(), '/%')", nil, []any{&id},
		func() error { all = append(all, strings.Clone(id)); return nil })
	return all, err
}
