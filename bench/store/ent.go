package store

import (
	"context"
	"database/sql"
	"errors"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	_ "github.com/go-sql-driver/mysql" // database/sql's "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // database/sql's "pgx", as ent's documentation advises

	"github.com/hegner123/modulagen/bench/store/ent"
	entarticle "github.com/hegner123/modulagen/bench/store/ent/article"
)

type entSide struct {
	client *ent.Client
	locks  bool // rows, one by one
}

func openEntSQLite(ctx context.Context, at place) (side, error) {
	return openEnt(ctx, "sqlite", dialect.SQLite, at)
}

func openEntPostgres(ctx context.Context, at place) (side, error) {
	return openEnt(ctx, "pgx", dialect.Postgres, at)
}

func openEntMySQL(ctx context.Context, at place) (side, error) {
	return openEnt(ctx, "mysql", dialect.MySQL, at)
}

func openEnt(ctx context.Context, driver, name string, at place) (side, error) {
	db, err := sql.Open(driver, at.native)
	if err != nil {
		return nil, err
	}
	s := &entSide{ent.NewClient(ent.Driver(entsql.OpenDB(name, db))), name != dialect.SQLite}
	return s, s.client.Schema.Create(ctx)
}

func (s *entSide) Name() string { return entName }

func (s *entSide) Get(ctx context.Context, id int64) (string, error) {
	row, err := s.client.Article.Get(ctx, int(id))
	if err != nil {
		return "", err
	}
	return row.Title, nil
}

func (s *entSide) GetByKey(ctx context.Context, slug string) (string, error) {
	row, err := s.client.Article.Query().Where(entarticle.Slug(slug)).Only(ctx)
	if err != nil {
		return "", err
	}
	return row.Title, nil
}

func (s *entSide) Create(ctx context.Context, a article) error {
	_, err := s.creation(a).Save(ctx)
	return err
}

func (s *entSide) CreateMany(ctx context.Context, rows []article) error {
	_, err := s.client.Article.MapCreateBulk(rows, func(c *ent.ArticleCreate, i int) { set(c, rows[i]) }).Save(ctx)
	return err
}

func (s *entSide) List(ctx context.Context, limit int) (int, error) {
	rows, err := s.client.Article.Query().Order(entarticle.ByID()).Limit(limit).All(ctx)
	return len(rows), err
}

func (s *entSide) Add(ctx context.Context, id int64) (int64, error) {
	row, err := s.client.Article.UpdateOneID(int(id)).AddViews(1).Save(ctx)
	if err != nil {
		return 0, err
	}
	return row.Views, nil
}

func (s *entSide) ReadThenWrite(ctx context.Context, id int64) (err error) {
	tx, err := s.client.Tx(ctx)
	if err != nil {
		return err
	}
	query := tx.Article.Query().Where(entarticle.ID(int(id)))
	if s.locks { // SQLite has no such clause; there the transaction is the one that writes
		query = query.ForUpdate()
	}
	row, err := query.Only(ctx)
	if err == nil {
		_, err = row.Update().SetScore(*row.Score + 1).Save(ctx)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (s *entSide) UpdateWhere(ctx context.Context, from, to, score int64) (int64, error) {
	n, err := s.client.Article.Update().Where(entarticle.IDGTE(int(from)), entarticle.IDLTE(int(to))).SetScore(score).Save(ctx)
	return int64(n), err
}

func (s *entSide) ListByIDs(ctx context.Context, ids []int64) (int, error) {
	list := make([]int, len(ids))
	for i, id := range ids {
		list[i] = int(id)
	}
	rows, err := s.client.Article.Query().Where(entarticle.IDIn(list...)).Order(entarticle.ByID()).All(ctx)
	return len(rows), err
}

func (s *entSide) Close() error { return s.client.Close() }

func (s *entSide) creation(a article) *ent.ArticleCreate {
	return set(s.client.Article.Create(), a)
}

func set(c *ent.ArticleCreate, a article) *ent.ArticleCreate {
	return c.SetSlug(a.Slug).SetTitle(a.Title).SetBody(a.Body).SetStatus(entarticle.Status(a.Status)).
		SetViews(a.Views).SetScore(a.Score).SetFeatured(a.Featured).SetContact(a.Contact).
		SetPublishedAt(a.PublishedAt).SetCreatedAt(a.CreatedAt).SetMeta(a.Meta)
}
