package store

import (
	"context"

	"github.com/hegner123/modulagen/bench/store/generated"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"    // mysql://
	_ "github.com/hegner123/modulagen/runtime/store/postgres" // postgres://
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"   // sqlite:
)

//go:generate go run github.com/hegner123/modulagen/cmd/modulagen generate

type ourSide struct{ db *generated.DB }

func openOurs(ctx context.Context, at place) (side, error) {
	db, err := generated.Open(ctx, at.url, generated.Options{})
	if err != nil {
		return nil, err
	}
	return &ourSide{db}, nil
}

// makeTables makes our tables for the side that is written by hand.
func makeTables(ctx context.Context, at place) error {
	db, err := generated.Open(ctx, at.url, generated.Options{})
	if err != nil {
		return err
	}
	return db.Close()
}

func (s *ourSide) Name() string { return "ours" }

func (s *ourSide) Get(ctx context.Context, id int64) (string, error) {
	row, err := s.db.Article.Get(ctx, generated.ArticleID(id))
	if err != nil {
		return "", err
	}
	return row.Title, nil
}

func (s *ourSide) GetByKey(ctx context.Context, slug string) (string, error) {
	row, err := s.db.Article.GetBySlug(ctx, slug)
	if err != nil {
		return "", err
	}
	return row.Title, nil
}

func (s *ourSide) Create(ctx context.Context, a article) error {
	_, err := s.db.Article.Create(ctx, toOurs(a))
	return err
}

func (s *ourSide) CreateMany(ctx context.Context, rows []article) error {
	list := make([]generated.ArticleNew, len(rows))
	for i, a := range rows {
		list[i] = toOurs(a)
	}
	_, err := s.db.Article.CreateMany(ctx, list)
	return err
}

func (s *ourSide) List(ctx context.Context, limit int) (int, error) {
	page, err := s.db.Article.List(ctx, generated.ArticleQuery{Limit: limit})
	return len(page.Items), err
}

func (s *ourSide) Add(ctx context.Context, id int64) (int64, error) {
	row, err := s.db.Article.Update(ctx, generated.ArticleID(id), generated.ArticlePatch{Views: store.Add(1)})
	if err != nil {
		return 0, err
	}
	return row.Views, nil
}

func (s *ourSide) ReadThenWrite(ctx context.Context, id int64) error {
	return s.db.Tx(ctx, func(tx *generated.Tx) error {
		row, err := tx.Article.GetForUpdate(ctx, generated.ArticleID(id))
		if err != nil {
			return err
		}
		_, err = tx.Article.Update(ctx, row.ID, generated.ArticlePatch{Score: store.Set(row.Score.V + 1)})
		return err
	})
}

func (s *ourSide) UpdateWhere(ctx context.Context, from, to, score int64) (int64, error) {
	some := generated.ArticleFields.ID.Between(generated.ArticleID(from), generated.ArticleID(to))
	return s.db.Article.UpdateWhere(ctx, some, generated.ArticlePatch{Score: store.Set(score)})
}

func (s *ourSide) ListByIDs(ctx context.Context, ids []int64) (int, error) {
	list := make([]generated.ArticleID, len(ids))
	for i, id := range ids {
		list[i] = generated.ArticleID(id)
	}
	rows, err := s.db.Queries.ArticlesByIDs(ctx, list)
	return len(rows), err
}

func (s *ourSide) Close() error { return s.db.Close() }

func toOurs(a article) generated.ArticleNew {
	return generated.ArticleNew{
		Slug: a.Slug, Title: a.Title, Body: store.Set(a.Body), Status: store.Set(generated.ArticleStatus(a.Status)),
		Views: store.Set(a.Views), Score: store.Set(a.Score), Featured: store.Set(a.Featured), Contact: store.Set(a.Contact),
		PublishedAt: store.Set(a.PublishedAt), CreatedAt: store.Set(a.CreatedAt), Meta: store.Set(a.Meta),
	}
}
