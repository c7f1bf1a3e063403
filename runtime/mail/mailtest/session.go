package mailtest

import (
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is a client that has said who it is.
type session struct {
	server *Server
	conn   *smtp.Conn
	step   Step

	user    string
	message Message
}

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	x := &session{server: s, conn: c, step: Step{Connection: numberOf(c.Conn())}}
	if err := x.ask(Hello, c.Hostname()); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *session) ask(n Name, address string) error {
	x.step.Name, x.step.Address = n, address
	return reply(x.conn, x.server.ask(x.step))
}

func (x *session) AuthMechanisms() []string {
	if len(x.server.options.Users) == 0 {
		return nil
	}
	if x.server.options.Mechanisms == nil {
		return []string{"PLAIN", "LOGIN"}
	}
	return x.server.options.Mechanisms
}

func (x *session) Auth(name string) (sasl.Server, error) {
	m := mechanisms[name]
	if m == nil {
		m = x.server.options.sasl[name]
	}
	if m == nil {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return &accounted{Server: m(x), session: x}, nil
}

func (x *session) Mail(from string, o *smtp.MailOptions) error {
	if x.user == "" && len(x.server.options.Users) > 0 {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	x.step.Message++
	x.message = Message{From: from, User: x.user, UTF8: o.UTF8, Size: o.Size, Connection: x.step.Connection, Hello: x.conn.Hostname()}
	_, x.message.TLS = x.conn.TLSConnectionState()
	return x.ask(Sender, from)
}

func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := x.ask(Recipient, to); err != nil {
		return err
	}
	x.message.To = append(x.message.To, to)
	return nil
}

func (x *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	x.message.Raw = data
	if err := x.ask(Data, x.message.From); err != nil {
		return err
	}
	x.message.parse()
	x.server.keep(x.message)
	return x.ask(Stored, x.message.From)
}

func (x *session) Reset() {
	x.message = Message{}
}

func (x *session) Logout() error { return nil }
