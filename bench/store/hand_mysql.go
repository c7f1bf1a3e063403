package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// handMySQL is database/sql and go-sql-driver/mysql with statements prepared
// once; many rows go in statements of 250.
type handMySQL struct {
	db                                   *sql.DB
	get, byKey, list, insert, insertMany *sql.Stmt
}

const handChunk = 250

func openHandMySQL(ctx context.Context, at place) (side, error) {
	if err := makeTables(ctx, at); err != nil {
		return nil, err
	}
	db, err := sql.Open("mysql", at.native)
	if err != nil {
		return nil, err
	}
	s := &handMySQL{db: db}
	const one = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	insert := "INSERT INTO article (" + handGiven + ") VALUES " + one
	for _, p := range []struct {
		into **sql.Stmt
		text string
	}{
		{&s.get, "SELECT " + handColumns + " FROM article WHERE id = ?"},
		{&s.byKey, "SELECT " + handColumns + " FROM article WHERE slug = ?"},
		{&s.list, "SELECT " + handColumns + " FROM article ORDER BY id LIMIT ?"},
		{&s.insert, insert},
		{&s.insertMany, insert + strings.Repeat(", "+one, handChunk-1)},
	} {
		if *p.into, err = db.PrepareContext(ctx, p.text); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *handMySQL) Name() string { return handName }

func (s *handMySQL) Get(ctx context.Context, id int64) (string, error) {
	var a handArticle
	err := s.get.QueryRowContext(ctx, id).Scan(a.into()...)
	return a.Title, err
}

func (s *handMySQL) GetByKey(ctx context.Context, slug string) (string, error) {
	var a handArticle
	err := s.byKey.QueryRowContext(ctx, slug).Scan(a.into()...)
	return a.Title, err
}

func (s *handMySQL) Create(ctx context.Context, a article) error {
	row := toHand(a)
	result, err := s.insert.ExecContext(ctx, row.given()...)
	if err != nil {
		return err
	}
	row.ID, err = result.LastInsertId()
	return err
}

// CreateMany takes a multiple of handChunk rows.
func (s *handMySQL) CreateMany(ctx context.Context, list []article) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert := tx.StmtContext(ctx, s.insertMany)
	for at := 0; at < len(list); at += handChunk {
		var args []any
		for _, a := range list[at : at+handChunk] {
			row := toHand(a)
			args = append(args, row.given()...)
		}
		if _, err := insert.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (s *handMySQL) List(ctx context.Context, limit int) (int, error) {
	rows, err := s.list.QueryContext(ctx, limit+1)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	page := make([]handArticle, 0, limit)
	for rows.Next() {
		var a handArticle
		if err := rows.Scan(a.into()...); err != nil {
			return 0, err
		}
		if len(page) < limit {
			page = append(page, a)
		}
	}
	return len(page), rows.Err()
}

func (s *handMySQL) Close() error { return s.db.Close() }
