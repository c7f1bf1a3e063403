CREATE TABLE author (
    id char(26) NOT NULL PRIMARY KEY,
    email varchar(200) NOT NULL,
    realm varchar(50) NOT NULL,
    `number` bigint
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE UNIQUE INDEX author_email_key ON author (email);
CREATE UNIQUE INDEX author_realm_number_key ON author (realm, `number`);
CREATE TABLE article (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    slug varchar(100) NOT NULL,
    title varchar(100) NOT NULL,
    body longtext,
    status varchar(100) NOT NULL,
    mood varchar(100),
    views bigint NOT NULL,
    `rank` bigint,
    price decimal(18,2) NOT NULL,
    discount decimal(18,4),
    `public` tinyint(1) NOT NULL,
    pinned tinyint(1),
    created_at datetime(6) NOT NULL,
    ends_at datetime(6),
    `day` date NOT NULL,
    `until` date,
    data json NOT NULL,
    raw json,
    meta json NOT NULL,
    more json,
    cover longblob NOT NULL,
    thumb longblob,
    author char(26),
    token varchar(100) NOT NULL,
    `order` bigint NOT NULL,
    CONSTRAINT article_status_check CHECK (status IN ('draft', 'published')),
    CONSTRAINT article_mood_check CHECK (mood IN ('draft', 'published')),
    CONSTRAINT article_author_fk FOREIGN KEY (author) REFERENCES author (id) ON DELETE RESTRICT
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE UNIQUE INDEX article_slug_key ON article (slug);
CREATE INDEX article_status_created_at_idx ON article (status, created_at DESC);
CREATE INDEX article_pinned_idx ON article (pinned);
