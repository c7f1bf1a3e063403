CREATE TABLE author (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    realm TEXT NOT NULL,
    "number" INTEGER
);
CREATE UNIQUE INDEX author_email_key ON author (email);
CREATE UNIQUE INDEX author_realm_number_key ON author (realm, "number");
CREATE TABLE article (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT,
    status TEXT NOT NULL,
    mood TEXT,
    views INTEGER NOT NULL,
    "rank" INTEGER,
    price INTEGER NOT NULL,
    discount INTEGER,
    "public" INTEGER NOT NULL,
    pinned INTEGER,
    created_at TEXT NOT NULL,
    ends_at TEXT,
    "day" TEXT NOT NULL,
    "until" TEXT,
    data TEXT NOT NULL,
    raw TEXT,
    meta TEXT NOT NULL,
    more TEXT,
    cover BLOB NOT NULL,
    thumb BLOB,
    author TEXT REFERENCES author (id) ON DELETE RESTRICT,
    token TEXT NOT NULL,
    "order" INTEGER NOT NULL,
    CONSTRAINT article_status_check CHECK (status IN ('draft', 'published')),
    CONSTRAINT article_mood_check CHECK (mood IN ('draft', 'published')),
    CONSTRAINT article_slug_check CHECK (length(slug) <= 100)
);
CREATE UNIQUE INDEX article_slug_key ON article (slug);
CREATE INDEX article_status_created_at_idx ON article (status, created_at DESC);
CREATE INDEX article_pinned_idx ON article (pinned) WHERE pinned IS NOT NULL;
