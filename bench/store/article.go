package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// article is one row as a writer gives it: what the columns of every side hold.
type article struct {
	Slug, Title string
	Body        string
	Status      string
	Views       int64
	Score       int64
	Featured    bool
	Contact     string
	PublishedAt time.Time
	CreatedAt   time.Time
	Meta        json.RawMessage
}

var statuses = []string{"draft", "published", "archived"}

// articleAt is row n of the data: the same for every side and every run.
func articleAt(n int) article {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return article{
		Slug:        slugAt(n),
		Title:       titleAt(n),
		Body:        fmt.Sprintf("Paragraph %d. The quick brown fox jumps over the lazy dog, and then it rests in the shade of a tree.", n),
		Status:      statuses[n%len(statuses)],
		Views:       int64(n * 7 % 1000),
		Score:       int64(n % 100),
		Featured:    n%10 == 0,
		Contact:     fmt.Sprintf("writer%d@example.com", n%50),
		PublishedAt: epoch.Add(time.Duration(n%1_000_000) * time.Minute), // MySQL's timestamp, which ent uses, ends in 2038
		CreatedAt:   epoch.Add(time.Duration(n%10_000_000) * time.Second),
		Meta:        json.RawMessage(fmt.Sprintf(`{"words": %d}`, n%5000)),
	}
}

func slugAt(n int) string  { return fmt.Sprintf("article-%07d", n) }
func titleAt(n int) string { return fmt.Sprintf("Article number %d", n) }

func articles(from, count int) []article {
	rows := make([]article, count)
	for i := range rows {
		rows[i] = articleAt(from + i)
	}
	return rows
}
