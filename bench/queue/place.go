package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hegner123/modulagen/bench/measure"
)

// place is an empty database for one sample. It travels to a worker process as JSON.
type place struct {
	DB      string // sqlite, postgres, mysql, redis
	URL     string // as our Open takes it
	Native  string // as the database's own driver takes it; host:port of Redis
	Durable bool
	remove  func() error
}

// host makes places of one database.
type host struct {
	db         string
	place      func(ctx context.Context) (place, error)
	durability func(durable bool) string // what is set, as the notes print it
	set        func(ctx context.Context, durable bool) error
	close      func() error
}

var errNoServer = errors.New("no server; scripts/services.sh starts one")

// hosts are the databases that there are.
func openHosts(ctx context.Context, note func(string, ...any)) (map[string]*host, error) {
	hosts := map[string]*host{}
	for db, open := range map[string]func(context.Context) (*host, error){
		"sqlite": sqliteHost, "postgres": postgresHost, "mysql": mysqlHost, "redis": redisHost,
	} {
		h, err := open(ctx)
		if errors.Is(err, errNoServer) {
			note("queue: %s left out: %v", db, err)
			continue
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", db, err), closeHosts(hosts))
		}
		h.db = db
		hosts[db] = h
	}
	return hosts, nil
}

func closeHosts(hosts map[string]*host) error {
	var failed []error
	for _, h := range hosts {
		failed = append(failed, h.close())
	}
	return errors.Join(failed...)
}

func sqliteHost(context.Context) (*host, error) {
	dir, err := os.MkdirTemp("", "modulagen-bench-")
	if err != nil {
		return nil, err
	}
	durable, made := false, 0
	level := func(durable bool) string {
		if durable {
			return "FULL"
		}
		return "NORMAL"
	}
	return &host{
		place: func(context.Context) (place, error) {
			made++
			path := filepath.Join(dir, fmt.Sprintf("%d", made), "bench.db")
			if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
				return place{}, err
			}
			return place{
				DB: "sqlite", Durable: durable,
				URL: "sqlite:" + path + "?synchronous=" + strings.ToLower(level(durable)),
				Native: "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(" + level(durable) +
					")&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-8192)&_txlock=immediate",
				remove: func() error { return os.RemoveAll(filepath.Dir(path)) },
			}, nil
		},
		durability: func(durable bool) string { return "a file, WAL, synchronous=" + level(durable) },
		set:        func(_ context.Context, d bool) error { durable = d; return nil },
		close:      func() error { return os.RemoveAll(dir) },
	}, nil
}

// postgresHost makes a database for each sample. A server that syncs is told
// for each database whether commits wait for that (synchronous_commit).
func postgresHost(ctx context.Context) (*host, error) {
	u, admin, err := openServer("MODULAGEN_POSTGRES_DSN", "pgx", (*url.URL).String)
	if err != nil {
		return nil, err
	}
	var fsync, version string
	if err := admin.QueryRowContext(ctx, "SELECT current_setting('fsync'), current_setting('server_version')").Scan(&fsync, &version); err != nil {
		return nil, errors.Join(err, admin.Close())
	}
	durable, made := false, 0
	level := func(durable bool) string {
		if durable {
			return "on"
		}
		return "off"
	}
	return &host{
		place: func(ctx context.Context) (place, error) {
			made++
			name := fmt.Sprintf("modulagen_bench_queue_%d_%d", os.Getpid(), made)
			if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
				return place{}, err
			}
			if _, err := admin.ExecContext(ctx, "ALTER DATABASE "+name+" SET synchronous_commit = "+level(durable)); err != nil {
				return place{}, err
			}
			own := *u
			own.Path = "/" + name
			return place{DB: "postgres", Durable: durable, URL: own.String(), Native: own.String(), remove: func() error {
				_, err := admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
				return err
			}}, nil
		},
		durability: func(durable bool) string {
			return fmt.Sprintf("PostgreSQL %s, fsync=%s, synchronous_commit=%s", version, fsync, level(durable))
		},
		set:   func(_ context.Context, d bool) error { durable = d; return nil },
		close: admin.Close,
	}, nil
}

// mysqlHost does the same. MySQL knows one durability for all databases; it is
// set back at the end.
func mysqlHost(ctx context.Context) (*host, error) {
	u, admin, err := openServer("MODULAGEN_MYSQL_DSN", "mysql", measure.NativeMySQL)
	if err != nil {
		return nil, err
	}
	var before, version string
	if err := admin.QueryRowContext(ctx, "SELECT @@innodb_flush_log_at_trx_commit, @@version").Scan(&before, &version); err != nil {
		return nil, errors.Join(err, admin.Close())
	}
	durable, made := false, 0
	level := func(durable bool) string {
		if durable {
			return "1"
		}
		return "0"
	}
	set := func(ctx context.Context, to string) error {
		_, err := admin.ExecContext(ctx, "SET GLOBAL innodb_flush_log_at_trx_commit = "+to)
		return err
	}
	return &host{
		place: func(ctx context.Context) (place, error) {
			made++
			name := fmt.Sprintf("modulagen_bench_queue_%d_%d", os.Getpid(), made)
			if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4"); err != nil {
				return place{}, err
			}
			own := *u
			own.Path = "/" + name
			return place{DB: "mysql", Durable: durable, URL: own.String(), Native: measure.NativeMySQL(&own), remove: func() error {
				_, err := admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name)
				return err
			}}, nil
		},
		durability: func(durable bool) string {
			return fmt.Sprintf("MySQL %s, innodb_flush_log_at_trx_commit=%s", version, level(durable))
		},
		set:   func(ctx context.Context, d bool) error { durable = d; return set(ctx, level(d)) },
		close: func() error { return errors.Join(set(context.Background(), before), admin.Close()) },
	}, nil
}

func openServer(variable, driver string, native func(*url.URL) string) (*url.URL, *sql.DB, error) {
	dsn := os.Getenv(variable)
	if dsn == "" {
		return nil, nil, fmt.Errorf("%s: %w", variable, errNoServer)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is no URL", variable) // the error would show its password
	}
	admin, err := sql.Open(driver, native(u))
	return u, admin, err
}

// redisHost empties the one database that there is for each sample.
func redisHost(ctx context.Context) (*host, error) {
	address := os.Getenv("MODULAGEN_REDIS_ADDR")
	if address == "" {
		return nil, fmt.Errorf("MODULAGEN_REDIS_ADDR: %w", errNoServer)
	}
	client := redis.NewClient(&redis.Options{Addr: address})
	if err := client.Ping(ctx).Err(); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	durable := false
	return &host{
		place: func(ctx context.Context) (place, error) {
			return place{DB: "redis", Native: address, Durable: durable, remove: func() error { return client.FlushDB(context.WithoutCancel(ctx)).Err() }},
				client.FlushDB(ctx).Err()
		},
		durability: func(durable bool) string {
			if durable {
				return "Redis, appendonly yes, appendfsync always"
			}
			return "Redis, appendonly no: nothing is on the disk"
		},
		set: func(ctx context.Context, d bool) error {
			durable = d
			appendonly := "no"
			if d {
				appendonly = "yes"
			}
			return errors.Join(client.ConfigSet(ctx, "appendfsync", "always").Err(), client.ConfigSet(ctx, "appendonly", appendonly).Err())
		},
		close: client.Close,
	}, nil
}
