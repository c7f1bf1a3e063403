package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	smtp "github.com/hegner123/modulagen/runtime/mail"
)

func (c *command) mail() *cobra.Command {
	cmd := &cobra.Command{Use: "mail", Short: "Try out how the project's mail is sent", Args: cobra.NoArgs}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	test := c.mailTest()
	test.Args = asUsage(test.Args)
	cmd.AddCommand(test)
	return cmd
}

// mailURL is the environment variable with the server, so that its password is in no command
// line, which other users of the host can read.
const mailURL = "MAIL_URL"

func (c *command) mailTest() *cobra.Command {
	var to, from, server string
	cmd := &cobra.Command{
		Use:   "test --to ADDRESS",
		Short: "Send one message, and say at which step it fails",
		Long: "Test sends one message through the server of --url or of the environment's " + mailURL + ":\n" +
			"smtp://user:password@smtp.example.com:587 with STARTTLS, or smtps://user:password@smtp.example.com.\n" +
			"It prints each step; of a step that fails, what to do about it.",
		Example: "  " + mailURL + "=smtp://shop:secret@smtp.example.com:587 modulagen mail test --to ann@example.com --from shop@example.com",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if server == "" {
				server = os.Getenv(mailURL)
			}
			t, err := newMailTest(to, from, server)
			if err != nil {
				return usageError{err}
			}
			return c.sendTest(cmd.Context(), t)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the recipient's address")
	cmd.Flags().StringVar(&from, "from", "", "the sender's address; the server's user, if that is one")
	cmd.Flags().StringVar(&server, "url", "", "the server; "+mailURL+" in the environment keeps its password out of lists of processes")
	return cmd
}

// mailTest is a message and where it is sent.
type mailTest struct {
	smtp     smtp.SMTP
	from, to string
}

func newMailTest(to, from, server string) (mailTest, error) {
	if server == "" {
		return mailTest{}, fmt.Errorf("no server: set %s, or give --url smtp://user:password@smtp.example.com:587", mailURL)
	}
	s, err := smtp.ParseURL(server)
	if err != nil {
		return mailTest{}, err
	}
	s.Connections = 1
	if user := s.Servers[0].Username; from == "" && strings.Contains(user, "@") {
		from = user
	}
	if from == "" {
		return mailTest{}, errors.New("--from is needed: the user of the URL is not an address")
	}
	t := mailTest{smtp: s}
	var toErr, fromErr error
	t.to, toErr = address("--to", to)
	t.from, fromErr = address("--from", from)
	return t, errors.Join(toErr, fromErr)
}

func address(flag, text string) (string, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsFunc(a.Address, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", fmt.Errorf("%s is %q; it is an address such as ann@example.com", flag, text)
	}
	return a.Address, nil
}

// mailSteps are the steps of sending, in their order.
var mailSteps = []struct {
	phase smtp.Phase
	text  string
}{
	{smtp.PhaseConnect, "connect, greeting"},
	{smtp.PhaseTLS, "TLS, certificate"},
	{smtp.PhaseAuth, "AUTH"},
	{smtp.PhaseSender, "sender"},
	{smtp.PhaseRecipients, "recipient"},
	{smtp.PhaseData, "message"},
	{smtp.PhaseFinal, "answer to the message"},
}

func (c *command) sendTest(ctx context.Context, t mailTest) error {
	transport, err := t.smtp.Transport()
	if err != nil {
		return err
	}
	receipt, err := transport.Send(ctx, t.envelope(), func(context.Context) error { return nil })
	if closing := transport.Close(); closing != nil && err == nil {
		return closing
	}
	var failure *smtp.Error
	if err != nil && !errors.As(err, &failure) {
		return err
	}
	for _, step := range mailSteps {
		switch {
		case failure != nil && step.phase == failure.Phase:
			return c.mailFailed(step.text, failure)
		case t.leavesOut(step.phase):
			fmt.Fprintf(c.out, "%-22s left out\n", step.text)
		default:
			fmt.Fprintf(c.out, "%-22s ok\n", step.text)
		}
	}
	fmt.Fprintf(c.out, "%s accepted it for %s: %s\n", receipt.Server, t.to, receipt.Response)
	return nil
}

func (t mailTest) leavesOut(p smtp.Phase) bool {
	server := t.smtp.Servers[0]
	return p == smtp.PhaseTLS && server.TLS == smtp.TLSNone || p == smtp.PhaseAuth && server.Username == ""
}

func (c *command) mailFailed(step string, e *smtp.Error) error {
	fmt.Fprintf(c.out, "%-22s failed\n", step)
	hint := e.Hint
	e.Hint = ""
	fmt.Fprintf(c.err, "modulagen: %v\n", e)
	if hint != "" {
		fmt.Fprintf(c.err, "  %s\n", hint)
	}
	return errFound
}

// envelope is the message. Its addresses are ASCII, and so is the rest.
func (t mailTest) envelope() *smtp.Envelope {
	_, domain, _ := strings.Cut(t.from[strings.LastIndexByte(t.from, '@'):], "@")
	lines := []string{
		"From: <" + t.from + ">", "To: <" + t.to + ">", "Subject: A test of modulagen mail test",
		"Date: " + time.Now().Format(time.RFC1123Z), "Message-ID: <" + rand.Text() + "@" + domain + ">",
		"MIME-Version: 1.0", "Content-Type: text/plain; charset=us-ascii", "Auto-Submitted: auto-generated", "",
		"This message was sent by modulagen mail test, to try out a mail server.", "",
	}
	data := strings.Join(lines, "\r\n")
	return &smtp.Envelope{From: t.from, To: []string{t.to}, Data: []byte(data)}
}
