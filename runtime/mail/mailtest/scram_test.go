package mailtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/hegner123/modulagen/runtime/mail"
)

// scramServer is the server's side of RFC 5802, with channel binding of RFC 9266 where plus is
// set. The lies are those of a server that does not know the password.
type scramServer struct {
	session *session
	hash    func() hash.Hash
	plus    bool
	lie     string

	step                      int
	user, first, reply, nonce string
}

func (s *scramServer) mac(key []byte, text string) []byte {
	m := hmac.New(s.hash, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func (s *scramServer) Next(response []byte) ([]byte, bool, error) {
	s.step++
	text := string(response)
	switch s.step {
	case 1:
		return nil, false, nil
	case 2:
		return s.challenge(text)
	case 3:
		return s.verify(text)
	}
	return nil, true, s.session.login(s.user, s.session.server.options.Users[s.user])
}

func (s *scramServer) challenge(text string) ([]byte, bool, error) {
	switch s.lie {
	case "proof before salt":
		s.step = 3
		return append([]byte("v="), base64.StdEncoding.EncodeToString(s.mac(s.mac(nil, "Server Key"), ""))...), false, nil
	case "endless work":
		s.reply = "r=%sx,s=c2FsdA==,i=2000000000"
	default:
		s.reply = "r=%sx,s=c2FsdA==,i=4096"
	}
	_, bare, _ := strings.Cut(text[strings.IndexByte(text, ',')+1:], ",")
	user, nonce, _ := strings.Cut(strings.TrimPrefix(bare, "n="), ",r=")
	s.user, s.first, s.nonce = user, bare, nonce
	s.reply = fmt.Sprintf(s.reply, nonce)
	return []byte(s.reply), false, nil
}

func (s *scramServer) verify(text string) ([]byte, bool, error) {
	if s.lie == "no proof" {
		s.session.user = s.user
		return nil, true, nil
	}
	without, proof, _ := strings.Cut(text, ",p=")
	binding, err := s.binding()
	if err != nil {
		return nil, false, err
	}
	if without != "c="+base64.StdEncoding.EncodeToString(binding)+",r="+s.nonce+"x" {
		return nil, false, smtp.ErrAuthFailed
	}
	password := s.session.server.options.Users[s.user]
	salted, err := pbkdf2.Key(s.hash, password, []byte("salt"), 4096, s.hash().Size())
	if err != nil {
		return nil, false, err
	}
	message := s.first + "," + s.reply + "," + without
	client := s.mac(salted, "Client Key")
	stored := s.hash()
	stored.Write(client)
	signature := s.mac(stored.Sum(nil), message)
	for i := range client {
		client[i] ^= signature[i]
	}
	given, err := base64.StdEncoding.DecodeString(proof)
	if err != nil || !bytes.Equal(given, client) {
		return nil, false, smtp.ErrAuthFailed
	}
	server := s.mac(s.mac(salted, "Server Key"), message)
	if s.lie == "wrong proof" {
		server[0]++
	}
	return append([]byte("v="), base64.StdEncoding.EncodeToString(server)...), false, nil
}

// binding is what the client has to have seen of the connection.
func (s *scramServer) binding() ([]byte, error) {
	if !s.plus {
		return []byte("n,,"), nil
	}
	state, _ := s.session.conn.TLSConnectionState()
	key, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	return append([]byte("p=tls-exporter,,"), key...), err
}

func scramOptions(name, lie string) Options {
	h := sha256.New
	if strings.HasPrefix(name, "SCRAM-SHA-1") {
		h = sha1.New
	}
	return Options{
		Users: map[string]string{"shop": "s3cret"}, Mechanisms: []string{"PLAIN", name},
		sasl: map[string]mechanism{name: func(x *session) sasl.Server {
			return &scramServer{session: x, hash: h, plus: strings.HasSuffix(name, "-PLUS"), lie: lie}
		}},
	}
}

func sendOne(t *testing.T, srv *Server, password string) error {
	t.Helper()
	s := srv.SMTP()
	s.Servers[0].Username, s.Servers[0].Password = "shop", mail.NewSecret(password)
	tr, err := s.Transport()
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	_, err = tr.Send(t.Context(), &mail.Envelope{From: "a@example.com", To: []string{"b@example.com"}, Data: []byte("Subject: x\r\n\r\n")}, func(context.Context) error { return nil })
	return err
}

func TestSCRAM(t *testing.T) {
	for _, name := range []string{"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"} {
		srv := NewServer(t, scramOptions(name, ""))
		if err := sendOne(t, srv, "s3cret"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var refused *mail.Error
		if err := sendOne(t, srv, "other"); !errors.As(err, &refused) || refused.Phase != mail.PhaseAuth || refused.Reply.Code != 535 {
			t.Errorf("%s: a wrong password: %v", name, err)
		}
	}
}

// TestSCRAMProof has servers that do not know the password, and say that it is right.
func TestSCRAMProof(t *testing.T) {
	for _, lie := range []string{"no proof", "wrong proof", "proof before salt", "endless work"} {
		srv := NewServer(t, scramOptions("SCRAM-SHA-256", lie))
		var refused *mail.Error
		if err := sendOne(t, srv, "s3cret"); !errors.As(err, &refused) || refused.Phase != mail.PhaseAuth || refused.Fate != mail.Hold {
			t.Errorf("%s: %v", lie, err)
		}
		if len(srv.Messages()) > 0 {
			t.Errorf("%s: a message arrived", lie)
		}
	}
}
