package backup

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOptionFile has the client's own programs read what stands in an option file.
func TestOptionFile(t *testing.T) {
	for _, password := range []string{"plain", `p"a\ss #=;' wörd%2F@`, `\`, `"`, `'`, " spaces ", "#", "!include /etc/passwd", "a\tb", `\s\t`, "[client]", ""} {
		u := &url.URL{Scheme: "mysql", User: url.UserPassword("shop", password), Host: "db.example.com:3307", Path: "/shop"}
		options, name, secret, err := clientOptions(u.String(), true)
		if err != nil || name != "shop" || secret != password {
			t.Fatalf("%q: %s, %q, %v", password, name, secret, err)
		}
		for name, make := range map[string]func(string) (string, *os.File, func(), error){"pipe": optionFile, "file": optionFolder} {
			file, from, clean, err := make(options)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("my_print_defaults", "--defaults-file="+file, "client")
			if from != nil {
				cmd.ExtraFiles = []*os.File{from}
			}
			out, err := cmd.Output()
			clean()
			if err != nil {
				t.Fatal(err)
			}
			want := "--user=shop\n--password=" + password + "\n--host=db.example.com\n--port=3307\n--protocol=TCP\n--skip-ssl\n"
			if password == "" {
				want = strings.Replace(want, "--password=\n", "", 1)
			}
			if string(out) != want {
				t.Errorf("%s: the client reads %q, want %q", name, out, want)
			}
		}
	}
}

// TestOptionsOfClients says the same as the driver's tls, and refuses what programs cannot be given.
func TestOptionsOfClients(t *testing.T) {
	for tls, want := range map[string][2]string{
		"":            {"skip-ssl", ""},
		"true":        {"ssl-verify-server-cert", "ssl-mode=VERIFY_IDENTITY"},
		"skip-verify": {"skip-ssl-verify-server-cert", "ssl-mode=REQUIRED"},
		"preferred":   {"skip-ssl-verify-server-cert", "ssl-mode=PREFERRED"},
	} {
		for i, mariadb := range []bool{true, false} {
			options, _, _, err := clientOptions("mysql://u:p@h/d?tls="+tls, mariadb)
			if err != nil || !strings.Contains(options, want[i]) {
				t.Errorf("tls=%s: %q, %v", tls, options, err)
			}
		}
	}
	if _, _, _, err := clientOptions("mysql://u:p@h/d?tls=own", true); err == nil || strings.Contains(err.Error(), ":p@") {
		t.Errorf("a configuration of the program's: %v", err)
	}
	options, _, _, err := clientOptions("mysql://u:p@/d?socket="+filepath.Join("/run", "my.sock"), true)
	if err != nil || !strings.Contains(options, `socket="/run/my.sock"`) || strings.Contains(options, "host=") {
		t.Errorf("a socket: %q, %v", options, err)
	}
}

// TestLibpq has in the environment what the DSN says, and nothing of the driver's own.
func TestLibpq(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://u:p%20w@h:5433/d?sslmode=verify-full&sslrootcert=/ca.pem&pool_max_conns=3&search_path=x": "LC_ALL=C PGCONNECT_TIMEOUT=10 PGDATABASE=d PGHOST=h PGPASSWORD=p w PGPORT=5433 PGSSLMODE=verify-full PGSSLROOTCERT=/ca.pem PGUSER=u",
		"postgres://u@h1,h2:6000/d?target_session_attrs=primary&connect_timeout=3":                           "LC_ALL=C PGCONNECT_TIMEOUT=3 PGDATABASE=d PGHOST=h1,h2 PGPORT=,6000 PGTARGETSESSIONATTRS=primary PGUSER=u",
		"postgres://u@[::1]:5432/d":                             "LC_ALL=C PGCONNECT_TIMEOUT=10 PGDATABASE=d PGHOST=::1 PGPORT=5432 PGUSER=u",
		"postgres:///d?host=/run/postgresql&user=u&password=pw": "LC_ALL=C PGCONNECT_TIMEOUT=10 PGDATABASE=d PGHOST=/run/postgresql PGPASSWORD=pw PGUSER=u",
	} {
		env, name, _, err := libpqEnv(dsn)
		if got := strings.Join(env, " "); err != nil || got != want || name != "d" {
			t.Errorf("%s:\n got %s, %s, %v\nwant %s", dsn, got, name, err, want)
		}
	}
	if _, _, _, err := libpqEnv("postgres://u:topsecret@h/d?sslpassword=alsosecret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}
