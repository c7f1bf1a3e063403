package output

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// ManifestName is the file that lists the others.
const ManifestName = "modulagen.manifest.json"

// manifest is what the tool wrote, as the tool remembers it.
type manifest struct {
	Tool  string            `json:"tool"`  // the version that wrote last
	Files map[string]string `json:"files"` // path with slashes -> SHA-256 of its content

	merged map[string]bool // files that both sides of a merge have written: their text is of neither
}

// manifest reads the manifest, and returns its text as well; nil without one.
func (f folder) manifest() (manifest, []byte, error) {
	m := manifest{Files: map[string]string{}}
	data, err := f.read(ManifestName)
	if data == nil || err != nil {
		return m, nil, err
	}
	if m.merge(data) {
		return m, data, nil
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, nil, f.wrong(ManifestName, fmt.Errorf("%w (restore it, or remove it and use --force)", err))
	}
	if m.Files == nil {
		m.Files = map[string]string{}
	}
	return m, data, nil
}

// listed is a file of the manifest, in a line of its own.
var listed = regexp.MustCompile(`^\s*"([^"\\]+)": "([0-9a-f]{64})",?$`)

// merge reads a manifest that version control has left with the lines of both sides, and reports whether it
// is one. What either of them lists is the tool's.
func (m *manifest) merge(data []byte) bool {
	text := string(unix(data))
	if !strings.Contains(text, "\n<<<<<<< ") || !strings.Contains(text, "\n>>>>>>> ") {
		return false
	}
	m.merged = map[string]bool{}
	ancestor := false // the part of diff3 that neither side has
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "||||||| "):
			ancestor = true
		case line == "=======":
			ancestor = false
		}
		file := listed.FindStringSubmatch(line)
		if file == nil || ancestor {
			continue
		}
		name, sum := file[1], file[2]
		if old, twice := m.Files[name]; twice && old != sum {
			m.merged[name] = true
		}
		m.Files[name] = sum
	}
	return true
}

// bytes returns the manifest as it is written: sorted, so that merges are easy.
func (m manifest) bytes() []byte {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // two strings and a map of strings
	}
	return append(data, '\n')
}

// hash names content, whatever its line ends.
func hash(data []byte) string {
	sum := sha256.Sum256(unix(data))
	return hex.EncodeToString(sum[:])
}

// unix returns a text with LF for CRLF.
func unix(data []byte) []byte {
	if !bytes.Contains(data, []byte("\r\n")) {
		return data
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}
