package store

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"
	_ "modernc.org/sqlite" // the driver that every side uses
)

// gormArticle is definitions/article.yaml as GORM's users write it.
type gormArticle struct {
	ID          int64
	Slug        string `gorm:"size:100;not null;uniqueIndex"`
	Title       string `gorm:"size:200;not null"`
	Body        *string
	Status      string `gorm:"size:20;not null;default:draft;index:idx_status_created,priority:1"`
	Views       int64  `gorm:"not null;default:0"`
	Score       *int64
	Featured    bool    `gorm:"not null;default:false"`
	Contact     *string `gorm:"size:254"`
	PublishedAt *time.Time
	CreatedAt   time.Time `gorm:"not null;index:idx_status_created,priority:2"`
	Meta        gormJSON
}

// gormJSON has the column types that gorm.io/datatypes gives JSON.
type gormJSON json.RawMessage

// GormDBDataType names the type in each database.
func (gormJSON) GormDBDataType(db *gorm.DB, _ *schema.Field) string {
	if db.Name() == "postgres" {
		return "JSONB"
	}
	return "JSON"
}

func (gormArticle) TableName() string { return "articles" }

type gormSide struct{ db *gorm.DB }

func openGormSQLite(ctx context.Context, at place) (side, error) {
	// GORM's own dialect over the driver that the other sides use.
	return openGorm(ctx, sqlite.New(sqlite.Config{DriverName: "sqlite", DSN: at.native}))
}

func openGormPostgres(ctx context.Context, at place) (side, error) {
	return openGorm(ctx, postgres.Open(at.native))
}

func openGormMySQL(ctx context.Context, at place) (side, error) {
	return openGorm(ctx, mysql.Open(at.native))
}

func openGorm(ctx context.Context, dialect gorm.Dialector) (side, error) {
	db, err := gorm.Open(dialect, &gorm.Config{
		PrepareStmt: true, SkipDefaultTransaction: true, Logger: logger.Discard,
	})
	if err != nil {
		return nil, err
	}
	return &gormSide{db}, db.WithContext(ctx).AutoMigrate(&gormArticle{})
}

func (s *gormSide) Name() string { return gormName }

func (s *gormSide) Get(ctx context.Context, id int64) (string, error) {
	var row gormArticle
	err := s.db.WithContext(ctx).Take(&row, id).Error
	return row.Title, err
}

func (s *gormSide) GetByKey(ctx context.Context, slug string) (string, error) {
	var row gormArticle
	err := s.db.WithContext(ctx).Where("slug = ?", slug).Take(&row).Error
	return row.Title, err
}

func (s *gormSide) Create(ctx context.Context, a article) error {
	row := toGorm(a)
	return s.db.WithContext(ctx).Create(&row).Error
}

func (s *gormSide) CreateMany(ctx context.Context, rows []article) error {
	list := make([]gormArticle, len(rows))
	for i, a := range rows {
		list[i] = toGorm(a)
	}
	return s.db.WithContext(ctx).Create(&list).Error
}

func (s *gormSide) List(ctx context.Context, limit int) (int, error) {
	var rows []gormArticle
	err := s.db.WithContext(ctx).Order("id").Limit(limit).Find(&rows).Error
	return len(rows), err
}

// Add returns the row, which GORM reads with RETURNING; MySQL has none, and reads it in the transaction.
func (s *gormSide) Add(ctx context.Context, id int64) (int64, error) {
	one := map[string]any{"views": gorm.Expr("views + ?", 1)}
	row := gormArticle{ID: id}
	if s.db.Name() != "mysql" {
		err := s.db.WithContext(ctx).Model(&row).Clauses(clause.Returning{}).Updates(one).Error
		return row.Views, err
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&row).Updates(one).Error; err != nil {
			return err
		}
		return tx.Take(&row, id).Error
	})
	return row.Views, err
}

func (s *gormSide) ReadThenWrite(ctx context.Context, id int64) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var row gormArticle
		read := tx
		if s.db.Name() != "sqlite" { // which has no such clause
			read = tx.Clauses(clause.Locking{Strength: "UPDATE"})
		}
		if err := read.Take(&row, id).Error; err != nil {
			return err
		}
		return tx.Model(&row).Update("score", *row.Score+1).Error
	})
}

func (s *gormSide) UpdateWhere(ctx context.Context, from, to, score int64) (int64, error) {
	done := s.db.WithContext(ctx).Model(&gormArticle{}).Where("id BETWEEN ? AND ?", from, to).Update("score", score)
	return done.RowsAffected, done.Error
}

func (s *gormSide) ListByIDs(ctx context.Context, ids []int64) (int, error) {
	var rows []gormArticle
	err := s.db.WithContext(ctx).Where("id IN ?", ids).Order("id").Find(&rows).Error
	return len(rows), err
}

func (s *gormSide) Close() error {
	db, err := s.db.DB()
	if err != nil {
		return err
	}
	return db.Close()
}

func toGorm(a article) gormArticle {
	return gormArticle{
		Slug: a.Slug, Title: a.Title, Body: &a.Body, Status: a.Status, Views: a.Views, Score: &a.Score,
		Featured: a.Featured, Contact: &a.Contact, PublishedAt: &a.PublishedAt, CreatedAt: a.CreatedAt, Meta: gormJSON(a.Meta),
	}
}
