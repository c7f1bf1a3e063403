-- ArticlesByIDs are some articles, by their ids.
-- name: ArticlesByIDs :many
SELECT * FROM article WHERE id IN (sqlc.slice(ids)) ORDER BY id;
