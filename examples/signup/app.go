package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/hegner123/modulagen/examples/signup/generated"
	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/store"
)

const from = "Shop <hello@shop.example>"

//go:embed all:mails
var mails embed.FS

// app is what the handlers need.
type app struct {
	db          *generated.DB
	welcome     *mail.Template[welcome]
	news        *mail.Template[news]
	unsubscribe *mail.Unsubscribe
}

// welcome and news are what the templates of those names are about: a template that names a
// field that is not here is an error of newApp.
type (
	welcome struct{ Name, Unsubscribe string }
	news    struct{ Title, Text, Unsubscribe string }
)

func newApp(db *generated.DB, unsubscribeURL string, key mail.Secret) (*app, error) {
	files, err := fs.Sub(mails, "mails")
	if err != nil {
		return nil, err
	}
	templates, err := mail.ParseTemplates(files, mail.TemplateOptions{})
	if err != nil {
		return nil, err
	}
	a := &app{db: db}
	var errs [3]error
	a.welcome, errs[0] = mail.NewTemplate[welcome](templates, "welcome")
	a.news, errs[1] = mail.NewTemplate[news](templates, "news")
	a.unsubscribe, errs[2] = mail.NewUnsubscribe(unsubscribeURL, key)
	return a, errors.Join(errs[:]...)
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /signup", func(w http.ResponseWriter, r *http.Request) {
		answer(w, a.signUp(r.Context(), r.FormValue("name"), r.FormValue("email"), r.FormValue("locale")))
	})
	mux.HandleFunc("POST /newsletter", func(w http.ResponseWriter, r *http.Request) {
		answer(w, a.publish(r.Context(), r.FormValue("issue"), r.FormValue("title"), r.FormValue("text")))
	})
	mux.Handle("/unsubscribe", a.unsubscribe.Handler(a.db.Newsletter.Suppress))
	return mux
}

func answer(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrInvalid), errors.Is(err, mail.ErrInvalid):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	default:
		http.Error(w, "try again later", http.StatusInternalServerError)
	}
}

// signUp creates a customer and queues the welcome mail: both, or neither.
func (a *app) signUp(ctx context.Context, name, email, locale string) error {
	m, err := a.welcome.Render(locale, welcome{Name: name})
	if err != nil {
		return err
	}
	m.From, m.To = from, []string{email}
	return a.db.Tx(ctx, func(tx *generated.Tx) error {
		if _, err := tx.EmailQueue.Send(ctx, m); err != nil {
			return err
		}
		_, err := tx.Customer.Create(ctx, generated.CustomerNew{Name: name, Email: email, Locale: store.Set(m.Locale)})
		return err
	})
}

// publish queues an issue of the newsletter for every customer. Called again, it adds those that are
// new: there is one message for each issue and customer.
func (a *app) publish(ctx context.Context, issue, title, text string) error {
	var messages []mail.Message
	for c, err := range a.db.Customer.All(ctx, generated.CustomerQuery{}) {
		if err != nil {
			return err
		}
		link, err := a.unsubscribe.Link(c.Email, "newsletter")
		if err != nil {
			return err
		}
		m, err := a.news.Render(c.Locale, news{Title: title, Text: text, Unsubscribe: link})
		if err != nil {
			return err
		}
		m.From, m.To, m.ListUnsubscribe, m.Stream = from, []string{c.Email}, link, "newsletter"
		m.IdempotencyKey = fmt.Sprintf("%s/%d", issue, c.ID)
		messages = append(messages, m)
	}
	_, err := a.db.Newsletter.SendMany(ctx, messages)
	return err
}
