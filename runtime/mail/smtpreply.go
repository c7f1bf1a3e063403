package mail

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxReplyText bounds Reply.Text in bytes.
const maxReplyText = 1000

// newReply returns a server's answer, with its text in one line, printable and bounded.
func newReply(code int, text string) Reply {
	r := Reply{Code: code}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		enhanced, rest := cutEnhanced(code, line)
		if enhanced != "" && (r.Enhanced == "" || r.Enhanced == enhanced) {
			r.Enhanced, lines[i] = enhanced, rest
		}
	}
	r.Text = printable(strings.Join(lines, " "), maxReplyText)
	return r
}

// cutEnhanced splits off the enhanced status code of RFC 2034 that belongs to code.
func cutEnhanced(code int, line string) (enhanced, rest string) {
	word, rest, _ := strings.Cut(line, " ")
	class, numbers, _ := strings.Cut(word, ".")
	subject, detail, _ := strings.Cut(numbers, ".")
	if len(class) != 1 || int(class[0]-'0') != code/100 || !isNumber(subject) || !isNumber(detail) {
		return "", line
	}
	return word, rest
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 3 && strings.Trim(s, "0123456789") == ""
}

// printable returns text without control characters, invisible ones and what is not UTF-8, cut
// to limit bytes.
func printable(text string, limit int) string {
	var b strings.Builder
	for _, r := range text {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			r = '?'
		}
		if b.Len()+utf8.RuneLen(r) > limit {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// answer takes the server's answer out of a library's error. The answer is the zero value where
// there was none, or one that makes no sense; then the error says so.
func answer(err error) (Reply, error) {
	var bad *textproto.Error
	if !errors.As(err, &bad) {
		return Reply{}, err
	}
	if c := bad.Code / 100; c != 4 && c != 5 {
		return Reply{}, nonsense(newReply(bad.Code, bad.Msg))
	}
	return newReply(bad.Code, bad.Msg), nil
}

// nonsense is the error of an answer that SMTP does not have at this step.
func nonsense(r Reply) error {
	return fmt.Errorf("the server's answer makes no sense here: %s", printable(r.String(), 100))
}
