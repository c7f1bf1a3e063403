// Signup serves a form's POST /signup, which creates a customer and queues the welcome mail in one
// transaction: there is never one without the other. POST /newsletter mails everyone, and
// /unsubscribe is where the links of its messages go.
//
//	go run ./examples/signup
//	curl -d name=Ann -d email=ann@example.com -d locale=de localhost:8080/signup
//	curl -d issue=1 -d title=News -d text='We have moved.' localhost:8080/newsletter
//
// Mail is written to files below mail/, or sent through the server of MAIL_URL, such as
// smtp://user:password@smtp.example.com:587.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"

	"github.com/hegner123/modulagen/examples/signup/generated"
	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/queue"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

func main() {
	ctx, stop := queue.UntilSignal(context.Background()) // ended by Ctrl-C: what is being sent is finished
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	db, err := generated.Open(ctx, "sqlite:signup.db", generated.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	// Links hold as long as their key: a program that is deployed keeps it.
	key := cmp.Or(os.Getenv("UNSUBSCRIBE_KEY"), rand.Text()+rand.Text())
	a, err := newApp(db, "https://shop.example/unsubscribe", mail.NewSecret(key))
	if err != nil {
		return err
	}
	sender, err := newSender(os.Getenv("MAIL_URL"))
	if err != nil {
		return err
	}
	// Either of the two ends the other.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Addr: "localhost:8080", Handler: a.routes()}
	served := make(chan error, 1)
	go func() {
		defer cancel()
		served <- server.ListenAndServe()
	}()
	err = db.Run(ctx, generated.Workers{Mail: sender})
	err = errors.Join(err, server.Shutdown(context.WithoutCancel(ctx)))
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// newSender sends through a server, and without one writes files.
func newSender(url string) (mail.Sender, error) {
	if url == "" {
		return mail.File("mail"), nil
	}
	smtp, err := mail.ParseURL(url)
	return mail.Options{SMTP: smtp, Logger: slog.Default()}, err
}
