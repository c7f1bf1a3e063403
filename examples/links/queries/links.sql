-- TopLinks are the links of an owner that are followed most.
-- name: TopLinks :many
SELECT link.code, visits.total
FROM link
JOIN visits ON visits.link = link.id
WHERE link.owner = @owner
ORDER BY visits.total DESC, link.id
LIMIT 3;

-- OwnerSummary is how many links an owner has, and how often they are followed.
-- name: OwnerSummary :one
-- column: mean decimal(2) null
SELECT count(*) AS links, coalesce(sum(visits.total), 0) AS total, avg(visits.total) AS mean
FROM link
JOIN visits ON visits.link = link.id
WHERE link.owner = @owner;
