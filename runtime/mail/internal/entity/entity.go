package entity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"strconv"
)

// Entity is a header and a body: Text, File, or, where Parts is not empty, those.
type Entity struct {
	Fields []Field // before those of MIME
	Type   string  // the value of Content-Type; of a multipart entity without its boundary
	Text   *string // line ends of any kind
	File   []byte
	Parts  []*Entity
}

// Field is a field of a header, encoded and on one line.
type Field struct{ Name, Value string }

// Bytes returns the entity as it is sent; its last line ends. Boundaries are derived from seed, which differs for
// each message, and is the same for the same one.
func (e *Entity) Bytes(seed string) ([]byte, error) {
	w := writer{seed: seed}
	w.buf.Grow(e.size())
	if err := w.entity(e); err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(w.buf.Bytes(), []byte("\r\n")) {
		w.buf.WriteString("\r\n")
	}
	return w.buf.Bytes(), nil
}

// writer has the state of one Bytes.
type writer struct {
	buf   bytes.Buffer
	seed  string
	count int // of boundaries
}

func (w *writer) entity(e *Entity) error {
	for _, f := range e.Fields {
		w.field(f)
	}
	switch {
	case len(e.Parts) > 0:
		return w.parts(e)
	case e.Text != nil:
		return w.text(e)
	}
	return w.file(e)
}

func (w *writer) field(f Field) { fold(&w.buf, f) }

// parts writes a multipart entity.
func (w *writer) parts(e *Entity) error {
	boundary := w.boundary()
	w.field(Field{"Content-Type", mime.FormatMediaType(e.Type, map[string]string{"boundary": boundary})})
	for _, part := range e.Parts {
		w.buf.WriteString("\r\n--" + boundary + "\r\n")
		if err := w.entity(part); err != nil {
			return err
		}
	}
	w.buf.WriteString("\r\n--" + boundary + "--\r\n")
	return nil
}

// boundary returns the next one. Its "=_" is in no quoted-printable and no base64 text, so that
// no content has it.
func (w *writer) boundary() string {
	w.count++
	sum := sha256.Sum256([]byte(strconv.Itoa(w.count) + " " + w.seed))
	return "=_" + hex.EncodeToString(sum[:16])
}

// size estimates how many bytes the entity takes, from above: a message is written into one
// piece of memory.
func (e *Entity) size() int {
	n := 512 + 2*len(e.Type)
	for _, f := range e.Fields {
		n += len(f.Name) + len(f.Value) + len(f.Value)/32 + 8
	}
	for _, part := range e.Parts {
		n += part.size()
	}
	if e.Text != nil {
		return n + textSize(*e.Text)
	}
	return n + base64Size(len(e.File))
}
