package mail

import (
	"fmt"
	"net/url"
	"strings"
)

// maxURL bounds a URL in List-Unsubscribe, in bytes: it has to fit a line.
const maxURL = 900

// splitUnsubscribe returns the https and the mailto URL of a ListUnsubscribe, without the
// brackets that some write around them.
func splitUnsubscribe(text string) (web, mailto string) {
	if !isASCII(text) { // in lower case it may be longer; urlProblem refuses it
		return text, ""
	}
	if i := strings.LastIndex(strings.ToLower(text), "mailto:"); i > 0 {
		before := strings.TrimRight(text[:i], " <")
		if rest, ok := strings.CutSuffix(before, ","); ok {
			return unbracket(rest), unbracket(text[i:])
		}
	}
	return unbracket(text), ""
}

func unbracket(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.Trim(text, " "), "<"), ">")
}

// unsubscribeProblem says why a value cannot be ListUnsubscribe.
func unsubscribeProblem(text string) string {
	web, mailto := splitUnsubscribe(text)
	if problem := urlProblem(web); problem != "" {
		return problem
	}
	u, err := url.Parse(web)
	switch {
	case err != nil:
		return "not a URL"
	case !strings.EqualFold(u.Scheme, "https") || u.Host == "" || u.User != nil:
		return "one-click unsubscription needs an https URL first (RFC 8058); a mailto URL may follow behind a comma"
	}
	if mailto == "" {
		return ""
	}
	if problem := urlProblem(mailto); problem != "" {
		return problem
	}
	box, _, _ := strings.Cut(mailto[len("mailto:"):], "?")
	if box, err = url.PathUnescape(box); err != nil {
		return "the mailto URL is not valid"
	}
	if _, problem := parseAddress(box); problem != "" {
		return "the mailto URL: " + problem
	}
	return ""
}

func urlProblem(text string) string {
	if len(text) > maxURL {
		return fmt.Sprintf("a URL of %d bytes; at most %d are permitted", len(text), maxURL)
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"' {
			return fmt.Sprintf("%q in a URL; escape it", c)
		}
	}
	return ""
}
