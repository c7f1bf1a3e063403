package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// postgres dumps with pg_dump, in its custom format, which pg_restore reads.
func postgres(ctx context.Context, db *core.DB, o Options) (*method, error) {
	env, name, secrets, err := libpqEnv(db.DSN())
	if err != nil {
		return nil, err
	}
	var server string
	if err := db.Conn().QueryRow(ctx, "SELECT current_setting('server_version')", nil, []any{&server}); err != nil {
		return nil, err
	}
	program, err := look(o.Program, []string{"pg_dump"}, fmt.Sprintf("the package postgresql-client of version %d", major(server)))
	if err != nil {
		return nil, err
	}
	version, err := versionOf(ctx, program)
	if err != nil {
		return nil, err
	}
	if client := major(version); client != 0 && client < major(server) {
		return nil, fmt.Errorf("%w: %s is %s, and the server is %s, which it does not dump: install the client of version %d, and name its pg_dump in cron.Options.Backup.Dump",
			ErrUnavailable, program, version, server, major(server))
	}
	d := &dumper{program: program, version: version, env: env, secrets: secrets, args: []string{"--format=custom", "--no-password"}}
	if o.Zstd {
		d.args = append(d.args, "--compress=0")
	}
	return &method{base: baseOf(name), ext: ".dump", fill: func(ctx context.Context, to *os.File, _ string) error {
		if err := d.dump(ctx, to, server); err != nil {
			return err
		}
		return begins(to, "PGDMP")
	}}, nil
}

// begins reports as an error that a file does not begin with what its format does.
func begins(f *os.File, with string) error {
	start := make([]byte, len(with))
	if _, err := f.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("backup: reading the dump: %w", err)
	}
	if string(start) != with {
		return errors.New("backup: what the program wrote is no dump")
	}
	return nil
}

// libpq has the environment variable of each parameter of a DSN that says how to connect. Others are
// of the driver, or of its sessions.
var libpq = map[string]string{
	"user": "PGUSER", "password": "PGPASSWORD", "host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "database": "PGDATABASE",
	"sslmode": "PGSSLMODE", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslrootcert": "PGSSLROOTCERT", "sslcrl": "PGSSLCRL",
	"sslsni": "PGSSLSNI", "sslnegotiation": "PGSSLNEGOTIATION", "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
	"ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION", "options": "PGOPTIONS", "connect_timeout": "PGCONNECT_TIMEOUT",
	"passfile": "PGPASSFILE", "service": "PGSERVICE", "servicefile": "PGSERVICEFILE", "target_session_attrs": "PGTARGETSESSIONATTRS",
	"krbsrvname": "PGKRBSRVNAME", "channel_binding": "PGCHANNELBINDING", "require_auth": "PGREQUIREAUTH",
}

// libpqEnv makes the environment with which libpq connects as the DSN says: neither the command line nor
// a file has the password. Errors have nothing of the DSN.
func libpqEnv(dsn string) (env []string, name string, secrets []string, err error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, "", nil, errors.New("backup: the DSN cannot be read")
	}
	values := map[string]string{"PGCONNECT_TIMEOUT": "10", "LC_ALL": "C", "PGDATABASE": strings.TrimPrefix(u.Path, "/")}
	if user := u.User; user != nil {
		values["PGUSER"] = user.Username()
		if password, ok := user.Password(); ok {
			values["PGPASSWORD"] = password
		}
	}
	var hosts, ports []string
	for one := range strings.SplitSeq(u.Host, ",") {
		host, port, err := net.SplitHostPort(one)
		if err != nil {
			host, port = strings.Trim(one, "[]"), ""
		}
		hosts, ports = append(hosts, host), append(ports, port)
	}
	if u.Host != "" {
		values["PGHOST"] = strings.Join(hosts, ",")
		if strings.Join(ports, "") != "" {
			values["PGPORT"] = strings.Join(ports, ",")
		}
	}
	for key, given := range u.Query() {
		if key == "sslpassword" {
			return nil, "", nil, fmt.Errorf("%w: pg_dump cannot be given the sslpassword of the DSN; use a key without a password", ErrUnavailable)
		}
		if variable := libpq[key]; variable != "" {
			values[variable] = given[len(given)-1]
		}
	}
	for _, variable := range slices.Sorted(maps.Keys(values)) {
		if values[variable] != "" {
			env = append(env, variable+"="+values[variable])
		}
	}
	name = values["PGDATABASE"]
	if name == "" {
		name = values["PGUSER"] // as libpq has it
	}
	return env, name, []string{values["PGPASSWORD"]}, nil
}
