package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// handArticle is a row as a person writes it who wants no library: what is
// nullable is a pointer.
type handArticle struct {
	ID          int64
	Slug        string
	Title       string
	Body        *string
	Status      string
	Views       int64
	Score       *int64
	Featured    bool
	Contact     *string
	PublishedAt *time.Time
	CreatedAt   time.Time
	Meta        []byte
}

// The statements that ours prepares too, by hand.
const (
	handColumns = "id, slug, title, body, status, views, score, featured, contact, published_at, created_at, meta"
	handGiven   = "slug, title, body, status, views, score, featured, contact, published_at, created_at, meta"
)

func toHand(a article) handArticle {
	return handArticle{
		Slug: a.Slug, Title: a.Title, Body: &a.Body, Status: a.Status, Views: a.Views, Score: &a.Score,
		Featured: a.Featured, Contact: &a.Contact, PublishedAt: &a.PublishedAt, CreatedAt: a.CreatedAt, Meta: a.Meta,
	}
}

// given are the values of handGiven.
func (a *handArticle) given() []any {
	return []any{a.Slug, a.Title, a.Body, a.Status, a.Views, a.Score, a.Featured, a.Contact, a.PublishedAt, a.CreatedAt, a.Meta}
}

// into are the places of handColumns.
func (a *handArticle) into() []any {
	return []any{
		&a.ID, &a.Slug, &a.Title, &a.Body, &a.Status, &a.Views, &a.Score, &a.Featured, &a.Contact,
		&a.PublishedAt, &a.CreatedAt, &a.Meta,
	}
}

// listed is the statement for a list of ids as sqlc's own code makes it: with as many placeholders.
func listed(ids []int64) (text string, args []any) {
	args = make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return "SELECT " + handColumns + " FROM article WHERE id IN (?" + strings.Repeat(", ?", len(ids)-1) + ") ORDER BY id", args
}

func inTx(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
