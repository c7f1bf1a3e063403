package mail

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Bounds of templates.
const (
	maxTemplateFiles = 1000
	maxTemplateFile  = 1 << 20 // bytes
)

// TemplateOptions are options of ParseTemplates.
type TemplateOptions struct {
	// Funcs are functions that templates call.
	Funcs map[string]any
	// InlineCSS writes what <style> says into the elements, as some mail programs need it.
	InlineCSS bool
	// MaxSize bounds the HTML and the text of a message, in bytes each; 0 means 1 MiB.
	MaxSize int
}

// Templates are the templates of a program's mail. They are safe for concurrent use.
type Templates struct {
	options TemplateOptions
	pages   map[string]map[string]*page // by name and locale; "" is the default
}

// page is a mail in one locale.
type page struct {
	path string
	text *textPage
	html *htmlPage // nil: the mail is plain text
}

// ParseTemplates reads all templates of a file system, such as an embed.FS. A mail called
// "welcome" is a pair of files:
//
//	welcome.txt.tmpl       the text, with {{define "subject"}}Welcome, {{.Name}}{{end}}
//	welcome.html.tmpl      the HTML; without it the mail is plain text
//	welcome.de.txt.tmpl    both in German: used for "de", and for "de-AT" if it has none
//	welcome.de.html.tmpl
//
// Text and subject are text/template, HTML is html/template: what a name contains is escaped in
// HTML and nowhere else. A text that is empty but for its subject is derived from the HTML.
//
// Files whose name begins with "_" are parts that all mails can use: "_footer.html.tmpl" is
// {{template "footer" .}}, and has locales too. A mail that defines "content" is shown in the part
// "layout", which places it with {{template "content" .}}. An embed.FS has such files where the
// directive names them: //go:embed all:mails, as without all: a folder's files with "_" are left out.
//
// Everything that is wrong is in the error, one line each.
func ParseTemplates(files fs.FS, options TemplateOptions) (*Templates, error) {
	if options.MaxSize == 0 {
		options.MaxSize = 1 << 20
	}
	if options.MaxSize < 0 || options.MaxSize > maxBody {
		return nil, fmt.Errorf("mail: TemplateOptions.MaxSize: %d; at most %d bytes are permitted", options.MaxSize, maxBody)
	}
	sources, err := readTemplates(files)
	if err != nil {
		return nil, err
	}
	t := &Templates{options: options, pages: map[string]map[string]*page{}}
	var errs []error
	for _, s := range sources {
		if s.part || s.kind != kindText {
			continue
		}
		p, err := parsePage(sources, s, options)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if t.pages[s.name] == nil {
			t.pages[s.name] = map[string]*page{}
		}
		t.pages[s.name][s.locale] = p
	}
	errs = append(errs, unpaired(sources)...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return t, nil
}

// Endings of files.
const (
	kindText = ".txt.tmpl"
	kindHTML = ".html.tmpl"
)

// source is a file.
type source struct {
	path, name, locale, kind string
	part                     bool // "_name"
	content                  string
}

// readTemplates returns the files that are templates, ordered by path.
func readTemplates(files fs.FS) ([]source, error) {
	var sources []source
	err := fs.WalkDir(files, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		s, ok := sourceOf(file)
		if !ok {
			return nil
		}
		if len(sources) == maxTemplateFiles {
			return fmt.Errorf("over %d templates", maxTemplateFiles)
		}
		s.content, err = readTemplate(files, file)
		sources = append(sources, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("mail: templates: %w", err)
	}
	return sources, nil
}

func readTemplate(files fs.FS, name string) (string, error) {
	f, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTemplateFile+1))
	if err == nil && len(data) > maxTemplateFile {
		err = fmt.Errorf("%s: over %d bytes", name, maxTemplateFile)
	}
	return string(data), err
}

// sourceOf takes a path apart: "account/welcome.de-AT.html.tmpl".
func sourceOf(file string) (source, bool) {
	for _, kind := range []string{kindText, kindHTML} {
		stem, ok := strings.CutSuffix(file, kind)
		if !ok {
			continue
		}
		dir, base := path.Split(stem)
		base, locale, _ := strings.Cut(base, ".")
		s := source{path: file, name: dir + base, locale: normalLocale(locale), kind: kind}
		if part, ok := strings.CutPrefix(base, "_"); ok {
			s.name, s.part = part, true
		}
		return s, base != ""
	}
	return source{}, false
}

// normalLocale returns a locale in the form in which locales are compared.
func normalLocale(locale string) string {
	return strings.ToLower(strings.ReplaceAll(locale, "_", "-"))
}

// locales returns a locale and those that stand in for it: "de-at", "de", "".
func locales(locale string) []string {
	var list []string
	for locale = normalLocale(locale); locale != ""; {
		list = append(list, locale)
		i := strings.LastIndexByte(locale, '-')
		locale = locale[:max(i, 0)]
	}
	return append(list, "")
}

// parts returns the parts of a kind for a locale, each once.
func parts(sources []source, kind, locale string) []source {
	var list []source
	seen := map[string]bool{}
	for _, l := range locales(locale) {
		for _, s := range sources {
			if s.part && s.kind == kind && s.locale == l && !seen[s.name] {
				seen[s.name] = true
				list = append(list, s)
			}
		}
	}
	return list
}

// parsePage parses a text and the HTML beside it.
func parsePage(sources []source, text source, options TemplateOptions) (*page, error) {
	p := &page{path: strings.TrimSuffix(text.path, kindText)}
	var err error
	if p.text, err = parseText(parts(sources, kindText, text.locale), text, options.Funcs); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(sources, func(s source) bool { return s.path == p.path+kindHTML })
	if i < 0 {
		return p, nil
	}
	p.html, err = parseHTML(parts(sources, kindHTML, text.locale), sources[i], options.Funcs)
	return p, err
}

// unpaired reports files that would never be used, or used with another language's.
func unpaired(sources []source) []error {
	has := map[string]bool{}
	seen := map[source]string{}
	var errs []error
	for _, s := range sources {
		has[s.path] = true
		key := source{name: s.name, locale: s.locale, kind: s.kind, part: s.part}
		if other, twice := seen[key]; twice {
			errs = append(errs, fmt.Errorf("mail: %s and %s are the same template", other, s.path))
		}
		seen[key] = s.path
	}
	for _, s := range sources {
		if s.part {
			continue
		}
		if stem, ok := strings.CutSuffix(s.path, kindHTML); ok && !has[stem+kindText] {
			errs = append(errs, fmt.Errorf("mail: %s has no %s beside it, which defines the subject", s.path, stem+kindText))
		}
		if stem, ok := strings.CutSuffix(s.path, kindText); ok && s.locale != "" && has[s.name+kindHTML] && !has[stem+kindHTML] {
			errs = append(errs, fmt.Errorf("mail: %s has no %s beside it, as the default has: its HTML would be in another language", s.path, stem+kindHTML))
		}
	}
	for _, s := range sources {
		if !s.part && s.locale != "" && s.kind == kindText && !has[s.name+kindText] {
			errs = append(errs, fmt.Errorf("mail: %s has no %s, which is used for other languages", s.path, s.name+kindText))
		}
	}
	return errs
}
