package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// handPostgres is pgx as its documentation uses it: a pool, whose connections
// prepare each statement once, and COPY for many rows.
type handPostgres struct{ pool *pgxpool.Pool }

func openHandPostgres(ctx context.Context, at place) (side, error) {
	if err := makeTables(ctx, at); err != nil {
		return nil, err
	}
	pool, err := pgxpool.New(ctx, at.native)
	return &handPostgres{pool}, err
}

func (s *handPostgres) Name() string { return handName }

func (s *handPostgres) Get(ctx context.Context, id int64) (string, error) {
	var a handArticle
	err := s.pool.QueryRow(ctx, "SELECT "+handColumns+" FROM article WHERE id = $1", id).Scan(a.into()...)
	return a.Title, err
}

func (s *handPostgres) GetByKey(ctx context.Context, slug string) (string, error) {
	var a handArticle
	err := s.pool.QueryRow(ctx, "SELECT "+handColumns+" FROM article WHERE slug = $1", slug).Scan(a.into()...)
	return a.Title, err
}

func (s *handPostgres) Create(ctx context.Context, a article) error {
	row := toHand(a)
	return s.pool.QueryRow(ctx, "INSERT INTO article ("+handGiven+
		") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id", row.given()...).Scan(&row.ID)
}

// CreateMany reserves the ids first, because COPY returns none.
func (s *handPostgres) CreateMany(ctx context.Context, list []article) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT nextval(pg_get_serial_sequence('article', 'id')) FROM generate_series(1, $1::bigint)", len(list))
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		columns := []string{
			"id", "slug", "title", "body", "status", "views", "score", "featured", "contact", "published_at", "created_at", "meta",
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"article"}, columns, pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
			row := toHand(list[i])
			return append([]any{ids[i]}, row.given()...), nil
		}))
		return err
	})
}

func (s *handPostgres) List(ctx context.Context, limit int) (int, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+handColumns+" FROM article ORDER BY id LIMIT $1", limit+1)
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

func (s *handPostgres) Add(ctx context.Context, id int64) (int64, error) {
	var a handArticle
	err := s.pool.QueryRow(ctx, "UPDATE article SET views = views + $1 WHERE id = $2 RETURNING "+handColumns, 1, id).Scan(a.into()...)
	return a.Views, err
}

func (s *handPostgres) ReadThenWrite(ctx context.Context, id int64) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var a handArticle
		if err := tx.QueryRow(ctx, "SELECT "+handColumns+" FROM article WHERE id = $1 FOR UPDATE", id).Scan(a.into()...); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "UPDATE article SET score = $1 WHERE id = $2 RETURNING "+handColumns, *a.Score+1, id).Scan(a.into()...)
	})
}

func (s *handPostgres) UpdateWhere(ctx context.Context, from, to, score int64) (int64, error) {
	done, err := s.pool.Exec(ctx, "UPDATE article SET score = $1 WHERE id BETWEEN $2 AND $3", score, from, to)
	return done.RowsAffected(), err
}

func (s *handPostgres) ListByIDs(ctx context.Context, ids []int64) (int, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+handColumns+" FROM article WHERE id = ANY($1) ORDER BY id", ids)
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

func (s *handPostgres) Close() error {
	s.pool.Close()
	return nil
}
