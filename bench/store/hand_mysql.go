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
	add, lock, score, scores             *sql.Stmt
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
		{&s.add, "UPDATE article SET views = views + ? WHERE id = ?"},
		{&s.lock, "SELECT " + handColumns + " FROM article WHERE id = ? FOR UPDATE"},
		{&s.score, "UPDATE article SET score = ? WHERE id = ?"},
		{&s.scores, "UPDATE article SET score = ? WHERE id BETWEEN ? AND ?"},
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

// Add reads the row in the transaction of its change.
func (s *handMySQL) Add(ctx context.Context, id int64) (int64, error) {
	var a handArticle
	err := inTx(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.StmtContext(ctx, s.add).ExecContext(ctx, 1, id); err != nil {
			return err
		}
		return tx.StmtContext(ctx, s.get).QueryRowContext(ctx, id).Scan(a.into()...)
	})
	return a.Views, err
}

func (s *handMySQL) ReadThenWrite(ctx context.Context, id int64) error {
	return inTx(ctx, s.db, func(tx *sql.Tx) error {
		var a handArticle
		if err := tx.StmtContext(ctx, s.lock).QueryRowContext(ctx, id).Scan(a.into()...); err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, s.score).ExecContext(ctx, *a.Score+1, id); err != nil {
			return err
		}
		return tx.StmtContext(ctx, s.get).QueryRowContext(ctx, id).Scan(a.into()...)
	})
}

func (s *handMySQL) UpdateWhere(ctx context.Context, from, to, score int64) (int64, error) {
	done, err := s.scores.ExecContext(ctx, score, from, to)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

func (s *handMySQL) ListByIDs(ctx context.Context, ids []int64) (int, error) {
	text, args := listed(ids)
	rows, err := s.db.QueryContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var list []handArticle
	for rows.Next() {
		var a handArticle
		if err := rows.Scan(a.into()...); err != nil {
			return 0, err
		}
		list = append(list, a)
	}
	return len(list), rows.Err()
}

func (s *handMySQL) Close() error { return s.db.Close() }
