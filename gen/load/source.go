package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// maxMistakes of one file are shown; whoever has more has one that causes them.
const maxMistakes = 100

// file is a YAML file that a person wrote, and what is wrong in it.
type file struct {
	path  string
	lines []string
	root  *yaml.Node // the document's mapping; nil when there is none to go on with
	found mistake.List
	alias map[string]bool // names of aliases that were reported
	runes struct {        // the line that was looked at last
		line int
		text []rune
	}
}

// wrongAt reports a mistake at a place. Line and column are from 1; column 0
// means the whole line, line 0 the whole file.
func (f *file) wrongAt(line, column int, message, hint string) {
	if len(f.found) > maxMistakes {
		return
	}
	if len(f.found) == maxMistakes {
		f.found = append(f.found, mistake.Mistake{File: f.path, Line: line, Message: fmt.Sprintf("more than %d mistakes; the others are not shown", maxMistakes)})
		return
	}
	m := mistake.Mistake{File: f.path, Line: line, Column: column, Message: mistake.Printable(message), Hint: mistake.Printable(hint)}
	if line > 0 && line <= len(f.lines) {
		m.Source, m.Column = excerpt(f.lines[line-1], column)
	}
	f.found = append(f.found, m)
}

// excerpt keeps a source line printable: cut where it is very long, with what
// a terminal would act on left out.
func excerpt(line string, column int) (string, int) {
	const most = 160
	runes := []rune(mistake.Printable(line))
	if len(runes) > most {
		if column > most {
			return "", column
		}
		return string(runes[:most]) + "...", column
	}
	return string(runes), column
}

func (f *file) wrong(n *yaml.Node, message, hint string) {
	f.wrongAt(n.Line, n.Column, message, hint)
}

func (f *file) pos(n *yaml.Node) model.Pos {
	return model.Pos{File: f.path, Line: n.Line, Column: n.Column}
}

// open reads a file into lines and a tree. What keeps the tree from being
// read is reported, and root stays nil.
func open(fsys fs.FS, path string) *file {
	f := &file{path: path}
	text, ok := f.read(fsys, language.MaxFileBytes)
	if !ok {
		return f
	}
	f.lines = strings.Split(lineEnds.Replace(string(text)), "\n")
	if f.tabs() {
		return f
	}
	f.parse(text)
	return f
}

// lineEnds are what YAML takes for the end of a line.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// read returns a file's bytes when they are text of a bounded length.
func (f *file) read(fsys fs.FS, limit int64) ([]byte, bool) {
	// Looked at before it is opened: to open a named pipe is to wait for its writer.
	info, err := fs.Stat(fsys, f.path)
	if err != nil {
		f.wrongAt(0, 0, "cannot be read: "+reason(err), "")
		return nil, false
	}
	if !info.Mode().IsRegular() {
		f.wrongAt(0, 0, "cannot be read: it is "+oddity(info.Mode())+", not a file", "rename or remove it")
		return nil, false
	}
	r, err := fsys.Open(f.path)
	if err != nil {
		f.wrongAt(0, 0, "cannot be read: "+reason(err), "")
		return nil, false
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		f.wrongAt(0, 0, "cannot be read: "+reason(err), "")
	case int64(len(text)) > limit:
		f.wrongAt(0, 0, fmt.Sprintf("the file has more than %d KiB", limit>>10), "split it into several files")
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		f.wrongAt(0, 0, "the file is UTF-16", "save it as UTF-8, without a byte-order mark")
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		f.wrongAt(1, 0, "the file starts with a byte-order mark", "save it as UTF-8 without one")
	case !utf8.Valid(text):
		line, column := invalidAt(text)
		f.lines = strings.Split(strings.ToValidUTF8(string(text), "\ufffd"), "\n")
		f.wrongAt(line, column, "the file is not UTF-8", "save it as UTF-8")
	case bytes.IndexByte(text, 0) >= 0:
		f.wrongAt(1+bytes.Count(text[:bytes.IndexByte(text, 0)], []byte("\n")), 0, "the file holds a NUL byte", "remove it")
	default:
		return text, true
	}
	return nil, false
}

// reason leaves out the path, which stands before the message already.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	if text := err.Error(); text != escapes {
		return text
	}
	return "a link leads out of the project, where nothing is read"
}

// escapes is what os.Root says about such a link. It has no sentinel for it.
const escapes = "path escapes from parent"

// oddity names what is found in the place of a file.
func oddity(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

func invalidAt(text []byte) (line, column int) {
	line, column = 1, 1
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
		text = text[size:]
	}
	return line, column
}

// tabs reports lines that a tab indents. YAML forbids them, but its parsers
// put that in words that no one takes to mean a tab.
func (f *file) tabs() bool {
	found := false
	for i, line := range f.lines {
		if strings.HasPrefix(line, "\t") && strings.TrimSpace(line) != "" {
			f.wrongAt(i+1, 1, "the line is indented with a tab", "indent with spaces")
			found = true
		}
	}
	return found
}

// parse reads the tree. Aliases stay what they are: nothing is expanded.
func (f *file) parse(text []byte) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := decode(dec, &doc); err != nil {
		if errors.Is(err, io.EOF) {
			f.empty()
			return
		}
		f.syntax(text, err)
		return
	}
	var second yaml.Node
	if err := decode(dec, &second); !errors.Is(err, io.EOF) {
		line, column := f.separator()
		f.wrongAt(line, column, "a second document starts here", "one file holds one definition: move it to a file of its own")
		return
	}
	if len(doc.Content) != 1 || doc.Content[0].ShortTag() == "!!null" && doc.Content[0].Value == "" {
		f.empty()
		return
	}
	if !f.plain(doc.Content[0]) {
		return
	}
	if doc.Content[0].Kind != yaml.MappingNode {
		f.wrong(doc.Content[0], "the file holds "+kindOf(doc.Content[0])+", not keys and values", `start with a line such as "name: article"`)
		return
	}
	f.root = doc.Content[0]
}

// decode turns a panic of the YAML parser into an error: it has had some.
func decode(dec *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return dec.Decode(into)
}

func (f *file) empty() {
	hint := "write at least a name and one field, or delete the file"
	if f.path == ConfigFile {
		hint = "write a key, such as output: generated, or delete the file"
	}
	f.wrongAt(1, 0, "the file is empty", hint)
}

// separator finds the line that starts the second document.
func (f *file) separator() (line, column int) {
	content := false
	for i, l := range f.lines {
		mark := l == "---" || strings.HasPrefix(l, "--- ") || strings.HasPrefix(l, "---\t") || l == "..." || strings.HasPrefix(l, "... ")
		if mark && content {
			return i + 1, 1
		}
		content = content || mark && l[0] == '-' // a first document may be empty
		if t := strings.TrimSpace(l); t != "" && !strings.HasPrefix(t, "#") && !strings.HasPrefix(t, "%") {
			content = true
		}
	}
	return 0, 0
}

var yamlLine = regexp.MustCompile(`^(?:line (\d+): )?(?s:(.*))$`)

// syntax reports what the YAML parser could not read. The parser names the
// line where the construct began; the line that broke it is found by reading
// ever longer beginnings of the file.
func (f *file) syntax(text []byte, err error) {
	m := yamlLine.FindStringSubmatch(strings.TrimPrefix(err.Error(), "yaml: "))
	line := 1
	if m[1] != "" {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	if l := f.breaking(text); l > 0 {
		line = l
	}
	message, hint := "this is not YAML: "+m[2], ""
	source := ""
	if line <= len(f.lines) {
		source = f.lines[line-1]
	}
	for _, s := range syntaxes {
		if strings.Contains(m[2], s.says) && (s.in == nil || s.in.MatchString(source)) {
			message, hint = s.message, s.hint
			break
		}
	}
	f.wrongAt(line, 0, message, hint)
}

// syntaxes puts the parser's words into those of someone who looks at the line.
var syntaxes = []struct {
	says          string
	in            *regexp.Regexp
	message, hint string
}{
	{"", regexp.MustCompile(`^ *\t|^[ \t]*\t`), "the line is indented with a tab", "indent with spaces"},
	{"unknown anchor", nil, "an alias (*name) names nothing, and aliases have no place here", "write the value out, or put it in quotes if the * belongs to it"},
	{"did not find expected alphabetic", regexp.MustCompile(`[:,\[-] *\*`), "a value that starts with * is taken for an alias", "put the value in quotes"},
	{"did not find expected alphabetic", regexp.MustCompile(`[:,\[-] *&`), "a value that starts with & is taken for an anchor", "put the value in quotes"},
	{"cannot start any token", regexp.MustCompile("[:,\\[-] *[`@%]"), "a value cannot start with this character", "put the value in quotes"},
	{"mapping values are not allowed", nil, `a ": " stands where no key can be`, `put the text in quotes, or check the indentation`},
	{"could not find expected ':'", nil, `a key without ": " after it`, `write "key: value"; a text over several lines starts with "key: |"`},
	{"unexpected end of stream", nil, "a quote is opened and never closed", "close it on the same line"},
	{"did not find expected ',' or ']'", nil, "a [ is opened and never closed, or a comma is missing", "close it with ]"},
	{"did not find expected ',' or '}'", nil, "a { is opened and never closed, or a comma is missing", "close it with }"},
	{"did not find expected node content", nil, "a value is missing here", "write a value, or leave the key out"},
	{"did not find expected key", nil, "the line does not fit the ones above", "check the indentation, and that quotes and brackets are closed"},
	{"did not find expected '-' indicator", nil, `the line does not fit the list above`, `start each entry with "- ", all at the same column`},
	{"block sequence entries are not allowed", nil, `a "- " stands where no list can be`, "start the list on a line of its own"},
	{"unknown escape character", nil, `a backslash in double quotes starts an escape that does not exist`, `use single quotes: '\d+'`},
	{"control characters are not allowed", nil, "the line holds a control character", "remove it"},
}

// breaking returns the first line from which on no beginning of the file can be
// read, 0 when that is too much work to find out.
func (f *file) breaking(text []byte) int {
	if len(f.lines) > 600 || len(text) > 1<<16 {
		return 0
	}
	last, at := 0, 0
	for i := range f.lines {
		end := bytes.IndexByte(text[at:], '\n')
		if end < 0 {
			break
		}
		at += end + 1
		var n yaml.Node
		if err := decode(yaml.NewDecoder(bytes.NewReader(text[:at])), &n); err == nil || errors.Is(err, io.EOF) {
			last = i + 1
		}
	}
	for last < len(f.lines)-1 { // blank lines and comments are not what breaks it
		if t := strings.TrimSpace(f.lines[last]); t != "" && !strings.HasPrefix(t, "#") {
			break
		}
		last++
	}
	return last + 1
}

// plain refuses what YAML can do beyond keys and values, in one place and
// before anything is made of it.
func (f *file) plain(n *yaml.Node) bool {
	before := len(f.found)
	f.walk(n, 0)
	if len(f.found) == before {
		f.strict(n, false)
	}
	return len(f.found) == before
}

func (f *file) walk(n *yaml.Node, depth int) {
	if depth > language.MaxDepth {
		f.wrong(n, fmt.Sprintf("more than %d levels deep", language.MaxDepth), "")
		return
	}
	switch {
	case n.Kind == yaml.AliasNode && f.alias[n.Value]:
		return
	case n.Kind == yaml.AliasNode:
		if f.alias == nil {
			f.alias = map[string]bool{}
		}
		f.alias[n.Value] = true
		f.wrong(n, fmt.Sprintf("aliases (*%s) have no place here", n.Value), "write the value out")
		return
	case n.Anchor != "":
		f.wrong(n, fmt.Sprintf("anchors (&%s) have no place here", n.Anchor), "write the value out where it is needed")
	case n.Style&yaml.TaggedStyle != 0:
		f.wrong(n, fmt.Sprintf("tags (%s) have no place here", n.Tag), "write the value alone")
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if c.ShortTag() == "!!merge" {
				f.wrong(c, "merge keys (<<) have no place here", "write the keys out")
				continue
			}
			if c.Kind != yaml.ScalarNode && c.Kind != yaml.AliasNode {
				f.wrong(c, "a key is a plain word", "")
				continue
			}
		}
		f.walk(c, depth+1)
	}
}
