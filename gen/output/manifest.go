package output

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// ManifestName is the file that lists the others.
const ManifestName = "modulagen.manifest.json"

// manifest is what the tool wrote, as the tool remembers it.
type manifest struct {
	Tool  string            `json:"tool"`  // the version that wrote last
	Files map[string]string `json:"files"` // path with slashes -> SHA-256 of its content
}

// manifest reads the manifest, and returns its text as well; nil without one.
func (f folder) manifest() (manifest, []byte, error) {
	m := manifest{Files: map[string]string{}}
	data, err := f.read(ManifestName)
	if data == nil || err != nil {
		return m, nil, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, nil, f.wrong(ManifestName, fmt.Errorf("%w (restore it, or remove it and use --force)", err))
	}
	if m.Files == nil {
		m.Files = map[string]string{}
	}
	return m, data, nil
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
