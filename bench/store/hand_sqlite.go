package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// handSQLite is what a careful person writes over database/sql and modernc:
// statements prepared once, one connection for writing, times as our
// fixed-width text (the driver's own form does not sort).
type handSQLite struct {
	read, write              *sql.DB
	get, byKey, list, insert *sql.Stmt
	add, own, score, scores  *sql.Stmt // own reads in a transaction of the writer
}

const handTime = "2006-01-02T15:04:05.000000Z"

func openHandSQLite(ctx context.Context, at place) (side, error) {
	if err := makeTables(ctx, at); err != nil {
		return nil, err
	}
	read, err := sql.Open("sqlite", at.native)
	if err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", at.native)
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	s := &handSQLite{read: read, write: write}
	for _, p := range []struct {
		db   *sql.DB
		into **sql.Stmt
		text string
	}{
		{read, &s.get, "SELECT " + handColumns + " FROM article WHERE id = ?"},
		{read, &s.byKey, "SELECT " + handColumns + " FROM article WHERE slug = ?"},
		{read, &s.list, "SELECT " + handColumns + " FROM article ORDER BY id LIMIT ?"},
		{write, &s.own, "SELECT " + handColumns + " FROM article WHERE id = ?"},
		{write, &s.add, "UPDATE article SET views = views + ? WHERE id = ? RETURNING " + handColumns},
		{write, &s.score, "UPDATE article SET score = ? WHERE id = ? RETURNING " + handColumns},
		{write, &s.scores, "UPDATE article SET score = ? WHERE id BETWEEN ? AND ?"},
		{write, &s.insert, "INSERT INTO article (" + handGiven + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
	} {
		if *p.into, err = p.db.PrepareContext(ctx, p.text); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *handSQLite) Name() string { return handName }

func (s *handSQLite) Get(ctx context.Context, id int64) (string, error) {
	a, err := scanSQLite(s.get.QueryRowContext(ctx, id))
	return a.Title, err
}

func (s *handSQLite) GetByKey(ctx context.Context, slug string) (string, error) {
	a, err := scanSQLite(s.byKey.QueryRowContext(ctx, slug))
	return a.Title, err
}

// scanSQLite reads a row; its times come as text.
func scanSQLite(row interface{ Scan(...any) error }) (a handArticle, err error) {
	var published sql.NullString
	var created string
	into := a.into()
	into[9], into[10] = &published, &created
	if err := row.Scan(into...); err != nil {
		return a, err
	}
	if published.Valid {
		t, err := time.Parse(handTime, published.String)
		if err != nil {
			return a, err
		}
		a.PublishedAt = &t
	}
	a.CreatedAt, err = time.Parse(handTime, created)
	return a, err
}

func givenSQLite(a handArticle) []any {
	given := a.given()
	given[8] = a.PublishedAt.UTC().Format(handTime)
	given[9] = a.CreatedAt.UTC().Format(handTime)
	given[10] = string(a.Meta)
	return given
}

func (s *handSQLite) Create(ctx context.Context, a article) error {
	row := toHand(a)
	result, err := s.insert.ExecContext(ctx, givenSQLite(row)...)
	if err != nil {
		return err
	}
	row.ID, err = result.LastInsertId()
	return err
}

func (s *handSQLite) CreateMany(ctx context.Context, rows []article) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert := tx.StmtContext(ctx, s.insert)
	ids := make([]int64, len(rows))
	for i, a := range rows {
		result, err := insert.ExecContext(ctx, givenSQLite(toHand(a))...)
		if err != nil {
			return err
		}
		if ids[i], err = result.LastInsertId(); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (s *handSQLite) List(ctx context.Context, limit int) (int, error) {
	rows, err := s.list.QueryContext(ctx, limit+1) // one more tells whether there is a next page, as ours does
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	page := make([]handArticle, 0, limit)
	for rows.Next() {
		a, err := scanSQLite(rows)
		if err != nil {
			return 0, err
		}
		if len(page) < limit {
			page = append(page, a)
		}
	}
	return len(page), rows.Err()
}

func (s *handSQLite) Add(ctx context.Context, id int64) (int64, error) {
	rows, err := s.add.QueryContext(ctx, 1, id)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if !rows.Next() {
		return 0, errors.Join(rows.Err(), sql.ErrNoRows)
	}
	a, err := scanSQLite(rows)
	if err != nil {
		return 0, err
	}
	rows.Next() // to the end: SQLite writes the WAL into the file when a statement ends, and QueryRow leaves it at its row
	return a.Views, rows.Err()
}

func (s *handSQLite) ReadThenWrite(ctx context.Context, id int64) error {
	return inTx(ctx, s.write, func(tx *sql.Tx) error {
		a, err := scanSQLite(tx.StmtContext(ctx, s.own).QueryRowContext(ctx, id))
		if err != nil {
			return err
		}
		_, err = scanSQLite(tx.StmtContext(ctx, s.score).QueryRowContext(ctx, *a.Score+1, id))
		return err
	})
}

func (s *handSQLite) UpdateWhere(ctx context.Context, from, to, score int64) (int64, error) {
	done, err := s.scores.ExecContext(ctx, score, from, to)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

func (s *handSQLite) ListByIDs(ctx context.Context, ids []int64) (int, error) {
	text, args := listed(ids)
	rows, err := s.read.QueryContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var list []handArticle
	for rows.Next() {
		a, err := scanSQLite(rows)
		if err != nil {
			return 0, err
		}
		list = append(list, a)
	}
	return len(list), rows.Err()
}

func (s *handSQLite) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }
