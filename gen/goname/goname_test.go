package goname

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestExported(t *testing.T) {
	for pair := range strings.FieldsSeq(`
		id:ID user_id:UserID media_ids:MediaIDs body_html:BodyHTML url:URL urls:URLs base_url:BaseURL api_key:APIKey
		json:JSON payload_json:PayloadJSON csv_path:CSVPath http_status:HTTPStatus https:HTTPS sql:SQL uuid:UUID
		name:Name created_at:CreatedAt ip:IP ipv6_address:IPv6Address oauth_token:OAuthToken sha256:SHA256
		x:X a_b:AB line1:Line1 address_2:Address2 _id:ID userId:UserID HTML:HTML status:Status dns:DNS
		to:To key:Key identity:Identity idle:Idle dbs:DBs image_optimize:ImageOptimize fetch_requests:FetchRequests
		größe:Größe`) {
		in, want, _ := strings.Cut(pair, ":")
		if got := Exported(in); got != want {
			t.Errorf("%s gives %s, want %s", in, got, want)
		}
	}
}

func TestSingular(t *testing.T) {
	for pair := range strings.FieldsSeq(`
		fetch_requests:fetch_request webhook_deliveries:webhook_delivery route_webhooks:route_webhook
		status:status statuses:status news:news job_queue:job_queue cache_entry:cache_entry cron_job:cron_job
		email_queue:email_queue people:person order_people:order_person addresses:address address:address
		classes:class boxes:box caches:cache searches:search batches:batch branches:branch coaches:coach
		databases:database purchases:purchase cases:case responses:response licenses:license houses:house
		categories:category movies:movie ties:tie sizes:size quizzes:quiz archives:archive shelves:shelf
		media:media data:data metadata:metadata analytics:analytics analysis:analysis settings:setting
		menus:menu taxes:tax indexes:index indices:index apis:api urls:url user_ids:user_id https:https
		dns:dns sms:sms bus:bus gas:gas series:series photos:photo schemas:schema areas:area aliases:alias
		dishes:dish hashes:hash potatoes:potato users:user as:as s:s keys:key days:day heroes:hero`) {
		in, want, _ := strings.Cut(pair, ":")
		if got := Singular(in); got != want {
			t.Errorf("%s gives %s, want %s", in, got, want)
		}
	}
}

func TestOption(t *testing.T) {
	for in, want := range map[string]string{
		"draft": "StatusDraft", "in_review": "StatusInReview", "in review": "StatusInReview", "GET": "StatusGet",
		"HTML": "StatusHTML", "2fa": "Status2fa", "-1": "StatusMinus1", "-0": "StatusMinus0", "-9": "StatusMinus9", "-": "StatusU002D", "-/": "StatusU002DU002F", "-:": "StatusU002DU003A", "+": "StatusU002B", "text/html": "StatusTextHTML",
		"*/5": "Status5", "日本": "Status日本",
	} {
		if got := Option("Status", in); got != want {
			t.Errorf("%s gives %s, want %s", in, got, want)
		}
	}
}

func TestUnexported(t *testing.T) {
	for in, want := range map[string]string{
		"Article": "article", "ArticleSpec": "articleSpec", "URLSpec": "urlSpec", "URL": "url", "A": "a", "ABc": "aBc", "AZa": "aZa",
		"ZZ": "zz", "X1": "x1", "IDs": "iDs", "already": "already", "": "",
	} {
		if got := Unexported(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestKeyRowAndEnum(t *testing.T) {
	if got := Key([]string{"TenantID", "Slug"}) + " " + Row("fetch_requests") + " " + Enum("Article", "Status"); got != "TenantIDAndSlug FetchRequest ArticleStatus" {
		t.Error(got)
	}
}

func TestIsExported(t *testing.T) {
	for _, s := range []string{"A", "Z", "UserID", "X1", "A_b"} {
		if !IsExported(s) {
			t.Errorf("%s is refused", s)
		}
	}
	for _, s := range []string{"", "a", "1A", "A b", "A-b", "_A", "Ä", "Aä", "func"} {
		if IsExported(s) {
			t.Errorf("%s is taken", s)
		}
	}
}

func TestIsPackage(t *testing.T) {
	for _, s := range []string{"generated", "db2", "test", "internal", "mains", "init2", "data_tests", "a_b"} {
		if !IsPackage(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{
		"", "_", "main", "init", "documentation", "Main", "data_test", "_test", "a-b", "2db",
		"func", "type", "package", "string", "error", "any", "nil", "len", "true", "int64",
	} {
		if IsPackage(s) {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestIsFolder(t *testing.T) {
	for _, s := range []string{"generated", "my-data", "a.b", "internal", "vendors", "x_", "com0", "com10", "lpt", "cons", "CamelCase"} {
		if !IsFolder(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{
		"", ".", "..", "...", "vendor", "testdata", "_x", ".x", "-x", "x.", "con", "CON", "con.d", "prn", "aux", "nul", "com1", "com9", "lpt1", "LPT9",
	} {
		if IsFolder(s) {
			t.Errorf("%q is taken", s)
		}
	}
}

func Example() {
	fmt.Println(Row("fetch_requests"), Exported("fetch_requests"), Exported("body_html"), Key([]string{"TenantID", "Slug"}))
	// Output: FetchRequest FetchRequests BodyHTML TenantIDAndSlug
}

func TestPredeclaredIsGos(t *testing.T) {
	if got, want := slices.Sorted(maps.Keys(predeclared)), types.Universe.Names(); !slices.Equal(got, want) {
		t.Errorf("predeclared has %v, Go %v", got, want)
	}
}
