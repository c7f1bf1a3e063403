package mail

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/vanng822/go-premailer/premailer"

	"github.com/hegner123/modulagen/internal/near"
)

// Template is one mail of Templates, whose data is a T. It is safe for concurrent use.
type Template[T any] struct {
	set   *Templates
	name  string
	pages map[string]*page
}

// NewTemplate returns the mail called name. It checks what the templates name, in every locale,
// against T: a field that T does not have is an error here, with its file and line, and not when
// the mail is sent.
func NewTemplate[T any](set *Templates, name string) (*Template[T], error) {
	pages, ok := set.pages[name]
	if !ok {
		known := slices.Sorted(maps.Keys(set.pages))
		if like := near.Name(name, known); like != "" {
			return nil, fmt.Errorf("mail: there is no template %q; did you mean %q?", name, like)
		}
		return nil, fmt.Errorf("mail: there is no template %q; there are %q", name, known)
	}
	var errs []error
	for _, locale := range slices.Sorted(maps.Keys(pages)) {
		for _, err := range pages[locale].check(reflect.TypeFor[*T](), set.options.Funcs) {
			errs = append(errs, fmt.Errorf("mail: %w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Template[T]{set: set, name: name, pages: pages}, nil
}

// Render returns a message with Subject, HTML, Plain and Locale, in the locale or the one that
// stands in for it: of "de-AT", "de" and the default the first that there is. The message has no
// sender and no recipients yet; Send checks it when it has them.
func (t *Template[T]) Render(locale string, data T) (Message, error) {
	for _, l := range locales(locale) {
		p := t.pages[l]
		if p == nil {
			continue
		}
		m, err := p.render(t.set.options, &data)
		if err != nil {
			return Message{}, fmt.Errorf("mail: template %s: %w", p.path, err)
		}
		m.Locale = locale
		return m, nil
	}
	return Message{}, fmt.Errorf("mail: template %q has no default", t.name)
}

func (p *page) render(options TemplateOptions, data any) (m Message, err error) {
	subject, err := executed(maxLine, func(w io.Writer) error { return p.text.set.ExecuteTemplate(w, subjectName, data) })
	if err != nil {
		return m, err
	}
	m.Subject = strings.Trim(subject, " \t\r\n") // what the template has around it; what is within is checked
	plain, err := executed(options.MaxSize, func(w io.Writer) error { return p.text.set.ExecuteTemplate(w, p.text.entry, data) })
	if err != nil {
		return m, err
	}
	if strings.TrimSpace(plain) != "" {
		m.Plain = strings.Trim(plain, "\r\n") + "\n"
	}
	if p.html == nil {
		return m, nil
	}
	if m.HTML, err = executed(options.MaxSize, func(w io.Writer) error { return p.html.set.ExecuteTemplate(w, p.html.entry, data) }); err != nil {
		return m, err
	}
	if options.InlineCSS {
		m.HTML, err = inlineCSS(m.HTML)
	}
	return m, err
}

// inlineCSS writes what <style> says into the elements.
func inlineCSS(html string) (_ string, err error) {
	defer func() { // the library reads CSS of anyone's, and this is within a transaction
		if r := recover(); r != nil {
			err = fmt.Errorf("CSS could not be inlined: %v", r)
		}
	}()
	p, err := premailer.NewPremailerFromString(html, premailer.NewOptions())
	if err == nil {
		html, err = p.Transform()
	}
	if err != nil {
		return "", fmt.Errorf("CSS could not be inlined: %w", err)
	}
	return html, nil
}
