package feed

import (
	"context"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/event"
)

type (
	numbered int64
	named    string
	payload  struct {
		Amount int64  `json:"amount"`
		Added  string `json:"added"`
	}
)

// A payload of another version of a definition is read as far as it fits; otherwise the handler is
// not called, and the event has failed.
func TestHandleEmitted(t *testing.T) {
	for _, c := range []struct{ row, payload, want string }{
		{"9223372036854775807", `{"amount":7}`, ""},
		{"7", `{"amount":7,"removed":[1]}`, ""},
		{"7", `{"amount":"seven"}`, "payload of another version"},
		{"7", `{"amount":`, "payload of another version"},
		{"7", ``, "payload of another version"},
		{"01JH", `{"amount":7}`, `the row "01JH" of another version`},
		{"9223372036854775808", `{"amount":7}`, "another version"},
	} {
		called := false
		handler := HandleEmitted(func(_ context.Context, e event.Event, id numbered, p payload) error {
			called = true
			if e.Row != c.row || id <= 0 || p != (payload{Amount: 7}) {
				t.Errorf("%s, %s: the handler got %+v, %d, %+v", c.row, c.payload, e, id, p)
			}
			return nil
		})
		err := handler(t.Context(), event.Event{Row: c.row}, nil, []byte(c.payload))
		switch {
		case c.want == "" && (err != nil || !called):
			t.Errorf("%s, %s: called %v, error %v", c.row, c.payload, called, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || called):
			t.Errorf("%s, %s: called %v, error %v; want one about %q", c.row, c.payload, called, err, c.want)
		}
	}
	id, err := rowID[named]("01JH")
	if id != "01JH" || err != nil {
		t.Error(id, err)
	}
}
