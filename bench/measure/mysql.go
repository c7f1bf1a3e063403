package measure

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the server is asked how many statements it has had
)

// NativeMySQL turns mysql://user:password@host:port/name into the form of go-sql-driver/mysql.
func NativeMySQL(u *url.URL) string {
	password, _ := u.User.Password()
	network, address := "tcp", u.Host
	if socket := u.Query().Get("socket"); socket != "" {
		network, address = "unix", socket
	}
	return fmt.Sprintf("%s:%s@%s(%s)/%s?parseTime=true&loc=UTC&time_zone=%%27%%2B00%%3A00%%27&interpolateParams=false",
		u.User.Username(), password, network, address, strings.TrimPrefix(u.Path, "/"))
}

// QuestionCounter asks a MySQL server how many statements it has had, from all clients.
type QuestionCounter struct {
	db    *sql.DB
	asked int64
}

// CountQuestions opens a counter; native is a name of the database as go-sql-driver/mysql takes it.
func CountQuestions(native string) (*QuestionCounter, error) {
	db, err := sql.Open("mysql", native)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &QuestionCounter{db: db}, nil
}

// Count returns how many statements there were so far, without the counter's own.
func (c *QuestionCounter) Count(ctx context.Context) (int64, error) {
	var name, value string
	if err := c.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Questions'").Scan(&name, &value); err != nil {
		return 0, err
	}
	c.asked++
	n, err := strconv.ParseInt(value, 10, 64)
	return n - c.asked, err
}

// Close closes the counter's connection.
func (c *QuestionCounter) Close() error { return c.db.Close() }
