package mail

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// maxIterations bounds the work that a server can ask for in SCRAM.
const maxIterations = 1_000_000

// mechanismsFor lists the mechanisms that a server's credentials are good for, best first. Over
// TLS, a password in PLAIN is as safe as the digest of CRAM-MD5, which asks of a server to keep
// passwords as they are.
func mechanismsFor(s Server) []string {
	if s.Token != nil {
		return []string{"XOAUTH2"}
	}
	return []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"}
}

// revealing are the mechanisms in which the server gets the password itself, and those that need
// a TLS connection for another reason.
var revealing = []string{"PLAIN", "LOGIN", "XOAUTH2", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"}

// chooseMechanism returns the best mechanism that the server offers.
func chooseMechanism(s Server, offered []string, encrypted bool) (string, error) {
	allowed := s.Mechanisms
	if len(allowed) == 0 {
		allowed = mechanismsFor(s)
	}
	var unsafe bool
	for _, m := range allowed {
		switch {
		case !slices.ContainsFunc(offered, func(o string) bool { return strings.EqualFold(o, m) }):
		case !encrypted && slices.Contains(revealing, m):
			unsafe = true
		default:
			return m, nil
		}
	}
	switch {
	case unsafe:
		return "", errors.New("without TLS, the server offers only mechanisms that would show the password to others")
	case len(offered) == 0:
		return "", errNoAuth
	}
	return "", fmt.Errorf("%w: the server offers %s, allowed are %s", errNoMechanism,
		printable(strings.Join(offered, " "), 200), strings.Join(allowed, " "))
}

var (
	errNoAuth      = errors.New("the server offers no AUTH")
	errNoMechanism = errors.New("no common mechanism")
)

// auth proves who the program is. The second result are the secrets of it, which an answer of
// the server may repeat.
func (c *smtpConn) auth(ctx context.Context) (secrets []string, err error) {
	s := c.server.Server
	_, offered := c.client.Extension("AUTH")
	mechanism, err := chooseMechanism(s, strings.Fields(offered), c.encrypted)
	if err != nil {
		return nil, err
	}
	secret := s.Password.Reveal()
	if s.Token != nil {
		if secret, err = c.token(ctx); err != nil {
			return nil, fmt.Errorf("the token: %w", err)
		}
		if secret == "" || strings.ContainsAny(secret, "\x00\x01\r\n") || len(secret) > maxCredential {
			return nil, errors.New("the token is empty, too long, or has control characters")
		}
	}
	a, err := c.mechanism(mechanism, s.Username, secret)
	if err != nil {
		return nil, err
	}
	return secretsOf(s.Username, secret), c.client.Auth(a)
}

// token asks the program for a token, for as long as a step of the dialogue may take; the next
// step has its own time.
func (c *smtpConn) token(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	defer c.guard.step(c.timeout)
	return c.server.Token(ctx)
}

func (c *smtpConn) mechanism(name, user, secret string) (smtp.Auth, error) {
	host := c.server.Host
	switch name {
	case "PLAIN":
		return smtp.PlainAuth("", user, secret, host, false), nil
	case "LOGIN":
		return smtp.LoginAuth(user, secret, host, false), nil
	case "CRAM-MD5":
		return smtp.CRAMMD5Auth(user, secret), nil
	case "XOAUTH2":
		return smtp.XOAuth2Auth(user, secret), nil
	case "SCRAM-SHA-1":
		return &scram{Auth: smtp.ScramSHA1Auth(user, secret)}, nil
	case "SCRAM-SHA-256":
		return &scram{Auth: smtp.ScramSHA256Auth(user, secret)}, nil
	}
	state, err := c.client.GetTLSConnectionState()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if name == "SCRAM-SHA-1-PLUS" {
		return &scram{Auth: smtp.ScramSHA1PlusAuth(user, secret, state)}, nil
	}
	return &scram{Auth: smtp.ScramSHA256PlusAuth(user, secret, state)}, nil
}

// scram adds to the library's SCRAM that the server must have proved that it knows the password,
// and a bound on the work that it can ask for.
type scram struct {
	smtp.Auth
	salted bool // the password was mixed with the server's salt
	proved bool
}

func (a *scram) Next(from []byte, more bool) ([]byte, error) {
	if !more && !a.proved {
		return nil, errors.New("the server accepted SCRAM without a proof that it knows the password")
	}
	final := bytes.HasPrefix(from, []byte("v="))
	if more && final && !a.salted {
		// The library would compare with the signature of an empty password.
		return nil, errors.New("the server's proof in SCRAM came before its salt")
	}
	for _, part := range bytes.Split(from, []byte(",")) {
		if text, found := bytes.CutPrefix(part, []byte("i=")); found && more {
			n, err := strconv.Atoi(string(text))
			if err != nil || n < 1 || n > maxIterations {
				return nil, fmt.Errorf("the server asks for %s iterations, the limit is %d", printable(string(text), 20), maxIterations)
			}
		}
	}
	to, err := a.Auth.Next(from, more)
	if err != nil {
		return nil, fmt.Errorf("the server's part of SCRAM: %s", printable(err.Error(), 200))
	}
	a.proved = a.proved || more && final
	a.salted = a.salted || more && bytes.HasPrefix(from, []byte("r="))
	return to, nil
}

// secretsOf lists the forms in which a server could repeat a secret.
func secretsOf(user, secret string) []string {
	encode := base64.StdEncoding.EncodeToString
	return []string{
		encode([]byte("\x00" + user + "\x00" + secret)),
		encode([]byte("user=" + user + "\x01auth=Bearer " + secret + "\x01\x01")),
		encode([]byte(secret)), secret,
	}
}

// redact masks secrets in what a server answered.
func redact(err error, secrets []string) error {
	var bad *textproto.Error
	if !errors.As(err, &bad) {
		return err
	}
	text := bad.Msg
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, masked)
	}
	return &textproto.Error{Code: bad.Code, Msg: text}
}
