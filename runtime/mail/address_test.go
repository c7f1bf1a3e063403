package mail_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/mail"
)

func TestParseAddress(t *testing.T) {
	long := strings.Repeat("l", 64)
	for _, c := range []struct {
		text, name, email, ascii string
		utf8                     bool
	}{
		{text: "ann@example.com", email: "ann@example.com"},
		{text: "  ann@example.com ", email: "ann@example.com"},
		{text: "<ann@example.com>", email: "ann@example.com"},
		{text: "Ann <ann@example.com>", name: "Ann", email: "ann@example.com"},
		{text: "Ann@EXAMPLE.com", email: "Ann@example.com"},
		{text: `"Doe, Ann" <ann@example.com>`, name: "Doe, Ann", email: "ann@example.com"},
		{text: `"Ann \"A\" \\ Doe" <ann@example.com>`, name: `Ann "A" \ Doe`, email: "ann@example.com"},
		{text: `"(a) <b@c.example>; [d]: e" <ann@example.com>`, name: "(a) <b@c.example>; [d]: e", email: "ann@example.com"},
		{text: "Jürgen Müller <j@example.com>", name: "Jürgen Müller", email: "j@example.com"},
		{text: "=?utf-8?q?J=C3=BCrgen?= <j@example.com>", name: "Jürgen", email: "j@example.com"},
		{text: "=?iso-8859-1?q?J=FCrgen?= <j@example.com>", name: "Jürgen", email: "j@example.com"},
		{text: "🎉 Party <p@example.com>", name: "🎉 Party", email: "p@example.com"},
		{text: "\"a\u202egnp.exe\u2066\" <p@example.com>", name: "agnp.exe", email: "p@example.com"},
		{text: "דוד\u200f <d@example.com>", name: "דוד\u200f", email: "d@example.com"},
		{text: "ann@münchen.example", email: "ann@münchen.example", ascii: "ann@xn--mnchen-3ya.example"},
		{text: "ann@xn--mnchen-3ya.example", email: "ann@münchen.example", ascii: "ann@xn--mnchen-3ya.example"},
		{text: "ann@MÜNCHEN.example", email: "ann@münchen.example", ascii: "ann@xn--mnchen-3ya.example"},
		{text: "ann@例え。テスト", email: "ann@例え.テスト", ascii: "ann@xn--r8jz45g.xn--zckzah"},
		{text: "jürgen@example.com", email: "jürgen@example.com", utf8: true},
		{text: "用户@例子.example", email: "用户@例子.example", ascii: "用户@xn--fsqu00a.example", utf8: true},
		{text: "a.b+c_d-e~f!#$%&'*/=?^`{|}@example.com", email: "a.b+c_d-e~f!#$%&'*/=?^`{|}@example.com"},
		{text: `"ann.doe"@example.com`, email: "ann.doe@example.com"},
		{text: "ann@ab--cd.example", email: "ann@ab--cd.example"},
		{text: "root@localhost", email: "root@localhost"},
		{text: long + "@example.com", email: long + "@example.com"},
	} {
		a, err := mail.ParseAddress(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if a.Name != c.name || a.Email != c.email {
			t.Errorf("%q: %q <%q>", c.text, a.Name, a.Email)
		}
		want := c.ascii
		if want == "" {
			want = c.email
		}
		if ascii, plain := a.ASCII(); ascii != want || plain == c.utf8 {
			t.Errorf("%q: as ASCII %q, %t", c.text, ascii, plain)
		}
		for _, written := range []string{a.String(), mail.FormatAddressList([]mail.Address{a})} {
			if again, err := mail.ParseAddress(written); err != nil || again != a {
				t.Errorf("%q: written as %q, which is %q, %v", c.text, written, again, err)
			}
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for _, c := range []struct{ text, problem string }{
		{"", "not an address"},
		{"ann", "not an address"},
		{"@example.com", "not an address"},
		{"ann@", "not an address"},
		{"ann@@example.com", "not an address"},
		{"a@b@example.com", "not an address"},
		{"ann@example.com bob@example.com", "not an address"},
		{"ann@example.com, bob@example.com", "not an address"},
		{"Doe, Ann <ann@example.com>", "not an address"},
		{"ann@example.com\r\nBcc: eve@example.com", "line break"},
		{"\"Ann\r\nBcc: eve@example.com\" <ann@example.com>", "line break"},
		{"ann@example.com\n", "line break"},
		{"Ann\u2028 <ann@example.com>", "line break"},
		{"=?utf-8?q?Ann=0D=0ABcc_eve=40example.com?= <ann@example.com>", "the name has a line break"},
		{"=?utf-8?q?Ann=00?= <ann@example.com>", "the name has a NUL"},
		{"ann\x00@example.com", "NUL"},
		{"ann\x01@example.com", "control"},
		{"ann\t@example.com", "control"},
		{"Ann\x7f <ann@example.com>", "control"},
		{"Ann\u0085 <ann@example.com>", "line break"},
		{"Ann \xed\xa0\x80 <ann@example.com>", "not valid UTF-8"},
		{"ann\xff@example.com", "not valid UTF-8"},
		// ESMTP parameters in a quoted local part.
		{`"ann@example.com> SIZE=1"@example.com`, "quoted local parts"},
		{`"a b"@example.com`, "quoted local parts"},
		{`"a\"b"@example.com`, "quoted local parts"},
		{`"a>b"@example.com`, "quoted local parts"},
		{`""@example.com`, "not an address"},
		{"ann..doe@example.com", "dot"},
		{`"ann..doe"@example.com`, "a dot is not between"},
		{".ann@example.com", "dot"},
		{"ann.@example.com", "dot"},
		{"ann\u202e@example.com", "before the @"},
		{"ann\u200b@example.com", "before the @"},
		{"an\u00a0n@example.com", "before the @"},
		{"ann(a comment)@example.com", "a comment"},
		{"ann@example.com (Ann)", "a comment"},
		{"Friends: ann@example.com, bob@example.com;", "a group"},
		{"undisclosed-recipients:;", "a group"},
		{"<@relay.example:ann@example.com>", "a source route"},
		{"ann@[192.0.2.1]", "an address literal"},
		{"ann@[IPv6:2001:db8::1]", "an address literal"},
		{"ann@192.0.2.1", "an IP address"},
		{"ann@-example.com", "is not valid"},
		{"ann@example-.com", "is not valid"},
		{"ann@example..com", "address"},
		{"ann@example.com.", "address"},
		{"ann@exa_mple.com", "is not valid"},
		{"ann@exam\u202eple.com", "is not valid"},
		{"ann@xn--a.example", "is not valid"},
		{strings.Repeat("l", 65) + "@example.com", "65 bytes before the @"},
		{"a@" + strings.Repeat("l", 64) + ".example", "is not valid"},
		{strings.Repeat("l", 64) + "@" + strings.Repeat("abcdefgh.", 21) + "com", "at most 254"},
		{"a@" + strings.Repeat("abcdefgh.", 28) + "com", "is not valid"},
		{strings.Repeat("n", 257) + " <ann@example.com>", "the name has 257 bytes"},
		{strings.Repeat("n", 5000) + " <ann@example.com>", "5018 bytes"},
	} {
		a, err := mail.ParseAddress(c.text)
		if err == nil {
			t.Errorf("%q is %q", c.text, a)
			continue
		}
		if !errors.Is(err, mail.ErrInvalid) || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%q: %v, without %q", c.text, err, c.problem)
		}
		if strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("%q: the error has a control character", c.text)
		}
	}
}

func TestAddressList(t *testing.T) {
	list, err := mail.ParseAddressList(`Ann <ann@example.com>,"Doe, \"Bob\"" <bob@example.com>, jürgen@münchen.example`)
	if err != nil {
		t.Fatal(err)
	}
	text := `Ann <ann@example.com>, "Doe, \"Bob\"" <bob@example.com>, jürgen@münchen.example`
	if got := mail.FormatAddressList(list); got != text {
		t.Errorf("written as %s", got)
	}
	if again, err := mail.ParseAddressList(text); err != nil || !slices.Equal(again, list) {
		t.Errorf("read again: %v, %v", again, err)
	}
	if list, err := mail.ParseAddressList(" "); list != nil || err != nil {
		t.Errorf("no address: %v, %v", list, err)
	}
	_, err = mail.ParseAddressList("ann@example.com, , Doe, Ann <ann@example.com>")
	if err == nil || !errors.Is(err, mail.ErrInvalid) || !strings.Contains(err.Error(), "address 2") || !strings.Contains(err.Error(), "address 3") {
		t.Errorf("the error is %v", err)
	}
	if _, err := mail.ParseAddressList(strings.Repeat("ann@example.com,", 1<<15)); !errors.Is(err, mail.ErrInvalid) {
		t.Errorf("half a megabyte: %v", err)
	}
}

func TestAddressKey(t *testing.T) {
	for _, c := range [][2]string{
		{"Ann <Ann@Example.com>", "ann@EXAMPLE.COM"},
		{"ann@münchen.example", "ann@xn--mnchen-3ya.example"},
		{"Ju\u0308rgen@example.com", "jürgen@example.com"},
	} {
		a, b := must(mail.ParseAddress(c[0])), must(mail.ParseAddress(c[1]))
		if a.Key() != b.Key() || a.Key() == "" {
			t.Errorf("%q and %q: %q and %q", c[0], c[1], a.Key(), b.Key())
		}
	}
	if got := must(mail.ParseAddress("ann@München.example")).Domain(); got != "xn--mnchen-3ya.example" {
		t.Errorf("the domain is %q", got)
	}
	// Nothing of an address that was made by hand reaches SMTP unchecked.
	for _, email := range []string{"ann@example.com\r\nDATA", "ann@example.com> SIZE=1", "ann", "", "a b@example.com"} {
		if ascii, ok := (mail.Address{Email: email}).ASCII(); ascii != "" || ok {
			t.Errorf("%q: %q, %t", email, ascii, ok)
		}
	}
	for _, name := range []string{"Ann\r\nBcc: eve@example.com", strings.Repeat("\x80", 100), "\x00"} {
		if text := (mail.Address{Name: name, Email: "ann@example.com"}).String(); text != "ann@example.com" {
			t.Errorf("%q: %q", name, text)
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// FuzzParseAddress holds that what is accepted can be sent, and is read again as it was from
// each form that it is written in.
func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{
		"Ann <ann@example.com>", `"Doe, \"Ann\"" <ann@münchen.example>`, "=?utf-8?q?J=C3=BCrgen?= <j@example.com>",
		"🎉 <a@b.example>", "用户@例子.example", `"a.b"@c.example`, "=?utf-8?b?PT91dGYtOD9xP2E/PQ==?= <a@b.example>",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := mail.ParseAddress(text)
		if err != nil {
			if !errors.Is(err, mail.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		ascii, _ := a.ASCII()
		if ascii == "" || strings.ContainsAny(ascii, " <>\"\\()[];:,\r\n\x00") || strings.Count(ascii, "@") != 1 || len(ascii) > 254 {
			t.Errorf("%q is sent as %q", text, ascii)
		}
		for _, written := range []string{a.String(), mail.FormatAddressList([]mail.Address{a})} {
			if again, err := mail.ParseAddress(written); err != nil || again != a {
				t.Errorf("%q is %q, written as %q, which is %q, %v", text, a, written, again, err)
			}
		}
		if list, err := mail.ParseAddressList(mail.FormatAddressList([]mail.Address{a, a})); err != nil || !slices.Equal(list, []mail.Address{a, a}) {
			t.Errorf("two of %q: %q, %v", text, list, err)
		}
	})
}
