package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/hegner123/modulagen/runtime/mail"
)

// options send through a sink.
func options(address string, certificate []byte) (mail.Options, error) {
	host, port, err := hostPort(address)
	if err != nil {
		return mail.Options{}, err
	}
	pool, err := trust(certificate)
	if err != nil {
		return mail.Options{}, err
	}
	return mail.Options{SMTP: mail.SMTP{Connections: workers, Servers: []mail.Server{{Host: host, Port: port, RootCAs: pool}}}}, nil
}

func hostPort(address string) (string, int, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.Atoi(port)
	return host, n, err
}

// bare sends as much with clients of go-mail that keep their connections, as its documentation
// advises: a client for each goroutine.
func (t *trial) bare(ctx context.Context) (float64, error) {
	start := time.Now()
	failures := make(chan error, workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { failures <- t.bareLoop(ctx, t.sends/workers) })
	}
	wg.Wait()
	close(failures)
	var errs []error
	for err := range failures {
		errs = append(errs, err)
	}
	return float64(t.sends) / time.Since(start).Seconds(), errors.Join(errs...)
}

func (t *trial) bareLoop(ctx context.Context, n int) (err error) {
	host, port, err := hostPort(t.sink.address())
	if err != nil {
		return err
	}
	pool, err := trust(t.sink.pem)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(host, gomail.WithPort(port), gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithTLSConfig(&tls.Config{ServerName: host, RootCAs: pool, MinVersion: tls.VersionTLS12}))
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	for range n {
		m, err := bareMessage()
		if err != nil {
			return err
		}
		if err := client.Send(m); err != nil {
			return err
		}
	}
	return nil
}

func bareMessage() (*gomail.Msg, error) {
	m := gomail.NewMsg()
	if err := m.From(from); err != nil {
		return nil, err
	}
	if err := m.To(to); err != nil {
		return nil, err
	}
	m.Subject(subject)
	m.SetBodyString(gomail.TypeTextPlain, plain)
	m.AddAlternativeString(gomail.TypeTextHTML, html)
	return m, nil
}
