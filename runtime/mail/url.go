package mail

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// urlForm is in errors instead of the URL, which has a password.
const urlForm = "smtp://user:password@smtp.example.com:587 or smtps://user:password@smtp.example.com, special characters as %40"

// ParseURL reads the configuration of one server: smtp:// requires STARTTLS, smtps:// begins
// with TLS. Parameters are tls=none, which sends without TLS, and those of [SMTP]: connections,
// hello and timeout (30s). Its errors do not repeat the URL.
//
//	smtp://shop:secret@smtp.example.com:587?connections=8
//	smtp://localhost:1025?tls=none
func ParseURL(text string) (SMTP, error) {
	u, err := url.Parse(text)
	if err != nil {
		return SMTP{}, errors.New("mail: the URL cannot be parsed: it is " + urlForm)
	}
	server := Server{Host: u.Hostname(), Username: u.User.Username()}
	switch u.Scheme {
	case "smtp":
	case "smtps":
		server.TLS = TLSImplicit
	default:
		return SMTP{}, errors.New("mail: the URL begins with neither smtp:// nor smtps://: it is " + urlForm)
	}
	if u.Opaque != "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return SMTP{}, errors.New("mail: the URL has more than a server and parameters: it is " + urlForm)
	}
	password, _ := u.User.Password()
	server.Password = NewSecret(password)
	if port := u.Port(); port != "" {
		if server.Port, err = strconv.Atoi(port); err != nil || server.Port == 0 {
			return SMTP{}, errors.New("mail: the URL's port is no number from 1 to 65535")
		}
	}
	s := SMTP{}
	if err := s.readParameters(u.RawQuery, &server); err != nil {
		return SMTP{}, err
	}
	s.Servers = []Server{server}
	return s, s.check()
}

func (s *SMTP) readParameters(query string, server *Server) (err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("mail: the URL's parameters cannot be parsed")
	}
	for name, value := range values {
		if len(value) > 1 {
			return errors.New("mail: the URL has a parameter twice")
		}
		switch name {
		case "tls":
			if value[0] != "none" || server.TLS == TLSImplicit {
				return errors.New("mail: the URL's tls is none, or is left out")
			}
			server.TLS = TLSNone
		case "connections":
			s.Connections, err = strconv.Atoi(value[0])
		case "timeout":
			s.Timeout, err = time.ParseDuration(value[0])
		case "hello":
			s.Hello = value[0]
		default:
			return errors.New("mail: the URL has an unknown parameter; there are connections, hello, timeout and tls. Write special characters of a password as %40 and the like")
		}
		if err != nil {
			return fmt.Errorf("mail: the URL's %s: %w", name, err)
		}
	}
	return nil
}
