package near_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/internal/near"
)

func TestName(t *testing.T) {
	known := []string{"id", "title", "status", "created_at", "BodyHTML"}
	for name, want := range map[string]string{
		"statsu": "status", "Status": "status", "createdAt": "created_at", "titel": "title",
		"body_html": "BodyHTML", "price": "", "": "", strings.Repeat("x", 1000): "",
	} {
		if got := near.Name(name, known); got != want {
			t.Errorf("Name(%.20q) = %q, want %q", name, got, want)
		}
	}
	if got := near.Name("x", nil); got != "" {
		t.Errorf("Name of nothing = %q", got)
	}
}

func TestSort(t *testing.T) {
	got := near.Sort("Titel", []string{"ID", "Body", "Title"})
	if want := []string{"Title", "ID", "Body"}; !slices.Equal(got, want) {
		t.Errorf("Sort = %q, want %q", got, want)
	}
}
