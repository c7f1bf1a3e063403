package mail

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of what a configuration may ask for.
const (
	maxServers     = 100
	maxConnections = 1000
	maxWeight      = 1000
	maxRate        = 1_000_000
	maxHello       = 255
	maxCredential  = 8 << 10
)

// Transport returns what sends through the servers of s. The error says everything that is wrong
// with the configuration. No connection is made before the first message.
func (s SMTP) Transport() (Transport, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return newSMTPTransport(s.withDefaults()), nil
}

func (s SMTP) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("mail: "+format, args...)) }
	if len(s.Servers) == 0 {
		fault("SMTP has no servers; give one, as in mail.Server{Host: \"smtp.example.com\"}")
	}
	if len(s.Servers) > maxServers {
		fault("SMTP has %d servers, the limit is %d", len(s.Servers), maxServers)
	}
	if s.Connections < 0 || s.Connections > maxConnections {
		fault("Connections is %d, it is from 1 to %d, or 0 for 4", s.Connections, maxConnections)
	}
	if s.MaxMessages < 0 || s.MaxIdle < 0 || s.Timeout < 0 {
		fault("MaxMessages, MaxIdle and Timeout cannot be negative")
	}
	if !plainWord(s.Hello) || len(s.Hello) > maxHello {
		fault("Hello is %q, it is a host name or an address in brackets", s.Hello)
	}
	for i, server := range s.Servers {
		for _, err := range server.check() {
			fault("server %d (%s): %w", i+1, server.Host, err)
		}
	}
	return errors.Join(faults...)
}

// check returns what is wrong with a server.
func (s Server) check() (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if s.Host == "" || !plainWord(s.Host) || strings.ContainsAny(s.Host, "/@[]") || len(s.Host) > maxHello {
		fault("Host is %q, it is a name or an IP address", s.Host)
	}
	if strings.Contains(s.Host, ":") && net.ParseIP(s.Host) == nil {
		fault("Host is %q; the port belongs in Port", s.Host)
	}
	if s.Port < 0 || s.Port > 65535 {
		fault("Port is %d", s.Port)
	}
	if s.TLS < TLSRequired || s.TLS > TLSNone {
		fault("TLS is %d, which is none of TLSRequired, TLSImplicit and TLSNone", s.TLS)
	}
	if s.Weight < 0 || s.Weight > maxWeight {
		fault("Weight is %d, it is from 1 to %d, or 0 for 1", s.Weight, maxWeight)
	}
	if s.Rate.Messages < 0 || s.Rate.Messages > maxRate || s.Rate.Per < 0 {
		fault("Rate is %d in %v, the limit is %d", s.Rate.Messages, s.Rate.Per, maxRate)
	}
	return append(faults, s.checkAuth()...)
}

func (s Server) checkAuth() (faults []error) {
	fault := func(text string) { faults = append(faults, errors.New(text)) }
	password := s.Password.Reveal()
	switch {
	case s.Username == "" && (password != "" || s.Token != nil):
		fault("Password or Token without Username")
	case s.Username == "":
		return nil
	case password == "" && s.Token == nil:
		fault("Username without Password or Token")
	case password != "" && s.Token != nil:
		fault("both Password and Token; give one of them")
	}
	if strings.ContainsAny(s.Username+password, "\x00\r\n") || len(s.Username)+len(password) > maxCredential {
		fault("Username or Password has a line break or NUL, or is too long")
	}
	if s.TLS == TLSNone && !loopbackHost(s.Host) {
		fault("Username with TLSNone; credentials are not sent without TLS")
	}
	for _, m := range s.Mechanisms {
		if !slices.Contains(mechanismsFor(s), m) {
			fault(fmt.Sprintf("Mechanisms has %q; those that can be used are %s", m, strings.Join(mechanismsFor(s), ", ")))
		}
	}
	return faults
}

// plainWord reports whether text is printable ASCII without spaces.
func plainWord(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func (s SMTP) withDefaults() SMTP {
	s.Connections = cmp.Or(s.Connections, 4)
	s.MaxMessages = cmp.Or(s.MaxMessages, 100)
	s.MaxIdle = cmp.Or(s.MaxIdle, 30*time.Second)
	s.Timeout = cmp.Or(s.Timeout, time.Minute)
	if s.Hello == "" {
		s.Hello = hostName()
	}
	if s.Dial == nil {
		s.Dial = (&net.Dialer{}).DialContext
	}
	s.Servers = slices.Clone(s.Servers)
	for i := range s.Servers {
		server := &s.Servers[i]
		if server.TLS == TLSRequired && server.Port == 465 {
			server.TLS = TLSImplicit
		}
		server.Port = cmp.Or(server.Port, [...]int{TLSRequired: 587, TLSImplicit: 465, TLSNone: 25}[server.TLS])
		server.Weight = cmp.Or(server.Weight, 1)
		server.Rate.Per = cmp.Or(server.Rate.Per, time.Second)
	}
	return s
}

// hostName is the host's name as EHLO takes it.
func hostName() string {
	name, err := os.Hostname()
	if err != nil || name == "" || !plainWord(name) || len(name) > maxHello {
		return "localhost"
	}
	return name
}

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }
