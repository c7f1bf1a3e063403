package mailtest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"net"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// mechanism makes the server's side of AUTH.
type mechanism func(*session) sasl.Server

var mechanisms = map[string]mechanism{
	"PLAIN": func(x *session) sasl.Server {
		return sasl.NewPlainServer(func(_, user, password string) error { return x.login(user, password) })
	},
	"LOGIN":    func(x *session) sasl.Server { return &loginServer{session: x} },
	"CRAM-MD5": func(x *session) sasl.Server { return &cramServer{session: x} },
	"XOAUTH2":  func(x *session) sasl.Server { return &tokenServer{session: x} },
}

// login compares a password, or a token.
func (x *session) login(user, password string) error {
	want, known := x.server.options.Users[user]
	if !known || !hmac.Equal([]byte(want), []byte(password)) {
		return smtp.ErrAuthFailed
	}
	x.user = user
	return nil
}

// accounted asks Answer once the credentials are right.
type accounted struct {
	sasl.Server
	session *session
}

func (a *accounted) Next(response []byte) ([]byte, bool, error) {
	challenge, done, err := a.Server.Next(response)
	if err == nil && done {
		if err = a.session.ask(Auth, a.session.user); err != nil {
			a.session.user = ""
		}
	}
	return challenge, done, err
}

type loginServer struct {
	session *session
	step    int
	user    string
}

func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	l.step++
	switch {
	case l.step == 1 && response == nil:
		return []byte("Username:"), false, nil
	case l.step <= 2 && l.user == "":
		l.user, l.step = string(response), 2
		return []byte("Password:"), false, nil
	}
	return nil, true, l.session.login(l.user, string(response))
}

const cramChallenge = "<1896.697170952@mailtest.example>"

type cramServer struct {
	session *session
	asked   bool
}

func (c *cramServer) Next(response []byte) ([]byte, bool, error) {
	if !c.asked {
		c.asked = true
		return []byte(cramChallenge), false, nil
	}
	user, digest, _ := strings.Cut(string(response), " ")
	password := c.session.server.options.Users[user]
	mac := hmac.New(md5.New, []byte(password))
	mac.Write([]byte(cramChallenge))
	if hex.EncodeToString(mac.Sum(nil)) != digest {
		return nil, false, smtp.ErrAuthFailed
	}
	return nil, true, c.session.login(user, password)
}

// tokenServer speaks XOAUTH2, in which a wrong token is answered with JSON first.
type tokenServer struct {
	session *session
	failed  bool
}

func (o *tokenServer) Next(response []byte) ([]byte, bool, error) {
	if o.failed {
		return nil, false, smtp.ErrAuthFailed
	}
	user, rest, _ := strings.Cut(strings.TrimPrefix(string(response), "user="), "\x01")
	token := strings.TrimSuffix(strings.TrimPrefix(rest, "auth=Bearer "), "\x01\x01")
	if o.session.login(user, token) != nil {
		o.failed = true
		return []byte(`{"status":"401"}`), false, nil
	}
	return nil, true, nil
}

// numberOf returns which of the server's connections c is.
func numberOf(c net.Conn) int {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	return c.(*conn).number
}
