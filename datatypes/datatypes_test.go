package datatypes

import (
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	want := []string{"cache_entry", "cron_calendar", "cron_job", "cron_runs", "datatypes", "email_queue", "email_suppressions", "fetch_requests", "fields", "job_queue", "route_webhooks", "routes", "webhook_deliveries", "webhook_queue"}
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
