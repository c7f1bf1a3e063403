package main

import (
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/hegner123/modulagen/examples/cron/generated"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/egress"
)

// The five jobs run as jobs.json has them. What stands for api.example.com is reached through a proxy.
func TestJobs(t *testing.T) {
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "cron.db")
	got := make(chan string, 1)
	err := run(t.Context(), dsn, true, cron.Options{
		Egress: endpoint(t, func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			got <- fmt.Sprint(r.Method, " ", r.Host, r.URL.Path, " ", string(body), " ", err)
		}),
		Backup: cron.Backup{Dir: filepath.Join(dir, "backups")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := `POST api.example.com/webhook {"event":"scheduled_ping"} <nil>`; len(got) != 1 || <-got != want {
		t.Errorf("the endpoint did not get %s", want)
	}
	db, err := generated.Open(t.Context(), dsn, generated.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := 0
	for j, err := range db.CronJob.All(t.Context(), generated.CronJobQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; j.LastStatus.V != generated.CronJobLastStatusSuccess || !j.NextRun.Valid || j.RunCount != 1 {
			t.Errorf("%s: %s, %s", j.Name, j.LastStatus.V, j.Error.V)
		}
	}
	backups, err := os.ReadDir(filepath.Join(dir, "backups"))
	if n != 5 || len(backups) != 1 || err != nil {
		t.Errorf("%d jobs, %d backups, %v", n, len(backups), err)
	}
}

// endpoint has api.example.com lead to a server of the test.
func endpoint(t *testing.T, serve http.HandlerFunc) egress.Options {
	server := httptest.NewUnstartedServer(serve)
	server.StartTLS()
	t.Cleanup(server.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connect(w, server.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return egress.Options{Proxy: u, Allow: []string{u.Host}, RootCAs: roots}
}

// connect is what a proxy does with CONNECT, whatever host it is asked for.
func connect(w http.ResponseWriter, to string) {
	server, err := net.Dial("tcp", to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	go func() {
		defer client.Close()
		if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		go func() {
			defer server.Close()
			io.Copy(server, client)
		}()
		io.Copy(client, server)
	}()
}
