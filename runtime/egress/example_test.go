package egress_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hegner123/modulagen/runtime/egress"
)

// A server on this machine is reached because it is listed.
func Example() {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path, r.Header.Get("Webhook-Id"))
		w.WriteHeader(http.StatusAccepted)
	}))
	defer endpoint.Close()

	client, err := egress.New(egress.Options{Allow: []string{endpoint.Listener.Addr().String()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	res, err := client.Do(context.Background(), egress.Request{
		Method: "POST",
		URL:    endpoint.URL + "/orders",
		Header: http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {"msg_1"}},
		Body:   []byte(`{"order":7}`),
	})
	if err != nil {
		fmt.Println(err, egress.Retryable(err))
		return
	}
	fmt.Println(res.Status, res.Truncated)
	// Output:
	// POST /orders msg_1
	// 202 false
}

// What can be said of a URL when a user saves it.
func ExampleCheckURL() {
	for _, url := range []string{
		"https://hooks.example.com/orders",
		"https://169.254.169.254/latest/meta-data/",
		"https://2130706433/",
		"https://me:secret@hooks.example.com/",
	} {
		fmt.Println(egress.CheckURL(url, egress.Options{}))
	}
	// Output:
	// <nil>
	// egress: refused: 169.254.169.254: cloud metadata; only an entry of Options.Allow with the address itself permits it
	// egress: invalid: the URL: the host "2130706433" ends in a number; write an IPv4 address as four decimal numbers, 192.0.2.1
	// egress: invalid: the URL has a user before the host; send credentials in a header
}

func ExampleCheckHeader() {
	fmt.Println(egress.CheckHeader("Authorization", "Bearer x"))
	fmt.Println(egress.CheckHeader("Authorization", "Bearer x\r\nX-Admin: yes"))
	fmt.Println(egress.CheckHeader("Host", "internal.example.com"))
	// Output:
	// <nil>
	// egress: invalid: the header Authorization has the control character 0x0d at byte 9 of its value; leave it out
	// egress: invalid: the header Host cannot be set: it is the URL's host; leave it out
}

// A refusal is final: the same request is refused again.
func ExampleRefusedError() {
	client, err := egress.New(egress.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	_, err = client.Do(context.Background(), egress.Request{URL: "https://127.0.0.1/"})
	var refused *egress.RefusedError
	if errors.As(err, &refused) {
		fmt.Println(refused.Host, refused.Reason, egress.Retryable(err))
	}
	// Output: 127.0.0.1 loopback (RFC 1122) false
}
