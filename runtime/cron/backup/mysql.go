package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// maxOptions is what every pipe has room for.
const maxOptions = 4096

// mysql dumps with mariadb-dump or mysqldump, as SQL.
func mysql(ctx context.Context, db *core.DB, o Options) (*method, error) {
	var server string
	if err := db.Conn().QueryRow(ctx, "SELECT VERSION()", nil, []any{&server}); err != nil {
		return nil, err
	}
	names, install := []string{"mysqldump", "mariadb-dump"}, "the package mysql-client"
	if strings.Contains(server, "MariaDB") {
		names, install = []string{"mariadb-dump", "mysqldump"}, "the package mariadb-client"
	}
	program, err := look(o.Program, names, install)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(ctx, program)
	if err != nil {
		return nil, err
	}
	options, name, secret, err := clientOptions(db.DSN(), strings.Contains(version, "MariaDB"))
	if err != nil {
		return nil, err
	}
	return &method{base: baseOf(name), ext: ".sql", fill: func(ctx context.Context, to *os.File, _ string) error {
		file, from, clean, err := optionFile(options)
		if err != nil {
			return fmt.Errorf("backup: the options of %s: %w", program, err)
		}
		defer clean()
		d := &dumper{program: program, version: version, env: []string{"LC_ALL=C"}, secrets: []string{secret}, extra: from, args: []string{
			"--defaults-file=" + file, // no other one, which could leave things out
			"--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob", "--no-tablespaces",
			"--default-character-set=utf8mb4", "--max-allowed-packet=1G", "--", name,
		}}
		if err := d.dump(ctx, to, server); err != nil {
			return err
		}
		return completed(to)
	}}, nil
}

// optionFile has a program read options from a file that is not there for others, nor when this process is killed:
// a pipe, which from is, and which the program has as its fourth file. Windows has no such files: there it
// is one in a folder of this user alone.
func optionFile(options string) (name string, from *os.File, clean func(), err error) {
	if runtime.GOOS == "windows" {
		return optionFolder(options)
	}
	from, to, err := os.Pipe()
	if err != nil {
		return "", nil, nil, err
	}
	_, err = to.WriteString(options) // a pipe has room for more than a DSN has
	if closeErr := to.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		from.Close()
		return "", nil, nil, err
	}
	return "/dev/fd/3", from, func() { from.Close() }, nil
}

func optionFolder(options string) (name string, from *os.File, clean func(), err error) {
	folder, err := os.MkdirTemp("", "modulagen-dump-")
	if err != nil {
		return "", nil, nil, err
	}
	name = filepath.Join(folder, "my.cnf")
	if err := os.WriteFile(name, []byte(options), 0o600); err != nil {
		os.RemoveAll(folder)
		return "", nil, nil, err
	}
	return name, nil, func() { os.RemoveAll(folder) }, nil
}

// clientOptions makes an option file with which the client's programs connect as the DSN says. Errors have nothing
// of the DSN.
func clientOptions(dsn string, mariadb bool) (options, name, secret string, err error) {
	u, err := url.Parse(dsn)
	if err != nil || u.User == nil {
		return "", "", "", errors.New("backup: the DSN cannot be read")
	}
	var b strings.Builder
	b.WriteString("[client]\n")
	set := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s=%s\n", key, quoted(value))
		}
	}
	secret, _ = u.User.Password()
	set("user", u.User.Username())
	set("password", secret)
	if socket := u.Query().Get("socket"); socket != "" {
		set("socket", socket)
	} else {
		set("host", u.Hostname())
		set("port", u.Port())
		set("protocol", "TCP")
	}
	ssl, err := sslOptions(u.Query().Get("tls"), mariadb)
	if err != nil {
		return "", "", "", err
	}
	b.WriteString(ssl)
	if b.Len() > maxOptions {
		return "", "", "", errors.New("backup: the DSN is too long")
	}
	return b.String(), strings.TrimPrefix(u.Path, "/"), secret, nil
}

// sslOptions says the same as the parameter tls of the driver.
func sslOptions(tls string, mariadb bool) (string, error) {
	type options struct{ mariadb, mysql string }
	known := map[string]options{
		"":            {"skip-ssl\n", ""},
		"false":       {"skip-ssl\n", ""},
		"preferred":   {"ssl\nskip-ssl-verify-server-cert\n", "ssl-mode=PREFERRED\n"},
		"skip-verify": {"ssl\nskip-ssl-verify-server-cert\n", "ssl-mode=REQUIRED\n"},
		"true":        {"ssl\nssl-verify-server-cert\n", "ssl-mode=VERIFY_IDENTITY\n"},
	}
	o, ok := known[strings.ToLower(tls)]
	switch {
	case !ok:
		return "", fmt.Errorf("%w: the DSN's tls names a configuration that the program registered, which dump programs cannot be given", ErrUnavailable)
	case mariadb:
		return o.mariadb, nil
	}
	return o.mysql, nil
}

// quoted is a value of an option file.
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value) + `"`
}

// completed reports as an error that a dump lacks its last line.
func completed(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	end := make([]byte, min(info.Size(), 300))
	if _, err := f.ReadAt(end, info.Size()-int64(len(end))); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("backup: reading the dump: %w", err)
	}
	if !bytes.Contains(end, []byte("-- Dump completed")) {
		return errors.New("backup: the dump is cut: its last line is missing")
	}
	return nil
}
