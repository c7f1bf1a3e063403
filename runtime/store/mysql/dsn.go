package mysql

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/hegner123/modulagen/runtime/store/internal/remote"
)

// parseDSN reads a DSN; keep is how many statements a connection may keep
// prepared. Its errors never hold the DSN, which has the password.
func parseDSN(dsn string) (cfg *mysql.Config, keep int, err error) {
	malformed := errors.New("mysql: the DSN is malformed; it has the form mysql://user:password@host:3306/name")
	u, err := url.Parse(dsn)
	if err != nil || u.User == nil {
		return nil, 0, malformed
	}
	cfg, keep = mysql.NewConfig(), keptStatements
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	if cfg.DBName == "" || strings.Contains(cfg.DBName, "/") {
		return nil, 0, malformed
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(u.Hostname(), port)
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, 0, malformed
	}
	for key, vs := range query {
		switch value := vs[len(vs)-1]; key {
		case "tls":
			cfg.TLSConfig = value
		case "socket":
			cfg.Net, cfg.Addr = "unix", value
		case "statements":
			if keep, err = strconv.Atoi(value); err != nil || keep < 0 {
				return nil, 0, errors.New("mysql: the option statements is a number, of those that a connection keeps prepared")
			}
		default:
			return nil, 0, fmt.Errorf("mysql: unknown option %q; there are socket, statements and tls", key)
		}
	}
	if cfg.Net == "tcp" && u.Hostname() == "" {
		return nil, 0, malformed
	}
	cfg.ParseTime = true
	cfg.Loc = time.UTC
	cfg.InterpolateParams = true // of statements that are not prepared
	cfg.ClientFoundRows = true   // an update counts the rows that it meant, changed or not
	cfg.Collation = "utf8mb4_bin"
	cfg.Timeout = remote.ConnectTimeout
	cfg.Params = map[string]string{
		"time_zone":                "'+00:00'",
		"sql_mode":                 "'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
		"innodb_lock_wait_timeout": "10",
		"max_sort_length":          sortLength,
		"sort_buffer_size":         "GREATEST(@@sort_buffer_size, " + sortBuffer + ")",
	}
	cfg.Logger = silent{}
	return cfg, keep, nil
}

// sortLength is how many bytes of a text's weight MariaDB sorts by, three for
// each byte that a cursor holds. With the 1,024 that are its own choice, pages
// of longer texts lose and repeat rows. sortBuffer has room for fifteen keys of
// eight such columns, without which the server refuses to sort; it is taken as
// far as a sort needs it.
const (
	sortLength = "196608"
	sortBuffer = "25165824"
)

// silent drops the driver's own log lines, which would go to standard error;
// what matters comes back as an error.
type silent struct{}

func (silent) Print(...any) {}
