package datatypes

import (
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	want := []string{"cache_entry", "cron_job", "email_queue", "fetch_requests", "job_queue", "route_webhooks", "webhook_deliveries"}
	if got := Names(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRead(t *testing.T) {
	for _, name := range Names() {
		text, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "\nname: "+name+"\n") {
			t.Errorf("%s does not define %s", name, name)
		}
	}
	if _, err := Read("nothing"); err == nil || !strings.Contains(err.Error(), "cache_entry") {
		t.Errorf("got %v", err)
	}
}
