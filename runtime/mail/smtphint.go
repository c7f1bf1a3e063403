package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// hint returns what to do about an error; "" where nothing can be said.
func hint(s Server, e *Error) string {
	switch e.Phase {
	case PhaseConnect:
		return hintConnect(s, e)
	case PhaseTLS:
		return hintTLS(s, e)
	case PhaseAuth:
		return hintAuth(s, e)
	case PhaseSender, PhaseRecipients, PhaseData, PhaseFinal:
		return hintMessage(s, e)
	}
	return ""
}

func hintConnect(s Server, e *Error) string {
	var name *net.DNSError
	switch {
	case errors.As(e.Err, &name) && name.IsNotFound:
		return fmt.Sprintf("no address is known for %q: check Host", s.Host)
	case errors.As(e.Err, &name):
		return "the name server did not answer: check the host's DNS"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing listens on port %d: check Port (587 with STARTTLS, 465 with implicit TLS)", s.Port)
	case timedOut(e.Err) && s.TLS != TLSImplicit:
		return fmt.Sprintf("a firewall may drop port %d (many hosts block 25; use 587 or 465), or the port takes only implicit TLS", s.Port)
	case timedOut(e.Err):
		return fmt.Sprintf("a firewall may drop port %d", s.Port)
	case e.Reply.Code/100 == 5:
		return "the server does not take mail from this host: check its address with the provider (block lists, reverse name)"
	case e.Reply.Code/100 == 4:
		return "the server is busy or limits connections: lower Connections if it goes on"
	}
	return ""
}

func hintTLS(s Server, e *Error) string {
	var (
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
		signer  x509.UnknownAuthorityError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.Is(e.Err, errNoTLS):
		return "use port 465 for implicit TLS; TLSNone sends without TLS, for a server on the same host"
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet: renew it, and check this host's clock"
	case errors.As(e.Err, &name):
		return fmt.Sprintf("the certificate is for another name than %q: set Host to a name of the certificate", s.Host)
	case errors.As(e.Err, &signer):
		return "the certificate's authority is not known here: set RootCAs if it is one of your own, or make the server send its whole chain"
	case errors.As(e.Err, &record) && s.TLS == TLSImplicit:
		return fmt.Sprintf("port %d does not begin with TLS: use TLSRequired, which is STARTTLS", s.Port)
	case errors.As(e.Err, &record):
		return "the server said that it starts TLS and did not: something between may strip it"
	}
	return ""
}

func hintAuth(s Server, e *Error) string {
	switch {
	case errors.Is(e.Err, errNoAuth):
		return "leave out Username, or use the port for submission (587 or 465)"
	case errors.Is(e.Err, errNoMechanism) && s.Token == nil:
		return "the provider may want OAuth 2.0: set Token"
	case errors.Is(e.Err, errNoMechanism):
		return "the server has no XOAUTH2: set Password"
	case e.Reply.Code == 534 || e.Reply.Code == 535:
		return "check Username and Password; with two-factor sign-in, providers want a password for applications"
	}
	return ""
}

func hintMessage(s Server, e *Error) string {
	switch {
	case e.Phase == PhaseSender && e.Reply.Code == 530:
		if s.Username == "" {
			return "the server wants AUTH: set Username and Password"
		}
		return ""
	case e.Phase == PhaseSender && e.Reply.Code/100 == 5:
		return "the server does not let these credentials send with this From"
	case e.Phase == PhaseRecipients && e.Reply.Code/100 == 5 && s.Username == "":
		return "the address may not exist, or the server wants AUTH to relay: set Username and Password"
	}
	return ""
}

func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
