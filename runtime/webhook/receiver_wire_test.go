package webhook_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/webhook"
)

// What net/http makes of bytes on a connection.
func TestReceiverOverTheWire(t *testing.T) {
	key := webhook.GenerateSecret()
	server := httptest.NewServer(receiver(t, handler(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v", body, err)
	}), webhook.ReceiverOptions{Keys: keys(key), MaxBody: 1000}))
	defer server.Close()
	const whole = "5\r\nhello\r\n0\r\n\r\n"
	for i, c := range []struct{ name, headers, body, want string }{
		{"as it is", "webhook-id:  ID\r\nwebhook-timestamp: TIME\t\r\nwebhook-signature: SIGNATURE", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "200 OK"},
		// net/http puts a space in place of a fold, or nothing at the beginning.
		{"folded signature", "Webhook-Id: ID\r\nWebhook-Timestamp: TIME\r\nWebhook-Signature: v1,AAAA\r\n SIGNATURE", whole, "200 OK"},
		{"folded id", "Webhook-Id:\r\n ID\r\nWebhook-Timestamp: TIME\r\nWebhook-Signature: SIGNATURE", whole, "200 OK"},
		{"id of two lines", "Webhook-Id: ID\r\n x\r\nWebhook-Timestamp: TIME\r\nWebhook-Signature: SIGNATURE", whole, "400"},
		{"timestamp of two lines", "Webhook-Id: ID\r\nWebhook-Timestamp: TIME\r\n 0\r\nWebhook-Signature: SIGNATURE", whole, "400"},
		{"two spellings", "webhook-id: ID\r\nWEBHOOK-ID: msg_2\r\nWebhook-Timestamp: TIME\r\nWebhook-Signature: SIGNATURE", whole, "400"},
		{"two signatures", "Webhook-Id: ID\r\nWebhook-Timestamp: TIME\r\nWebhook-Signature: v1,AAAA\r\nWebhook-Signature: SIGNATURE", whole, "400"},
		{"huge", "X: " + strings.Repeat("x", 2<<20) + "\r\nWebhook-Id: ID\r\nWebhook-Timestamp: TIME\r\nWebhook-Signature: SIGNATURE", whole, "431"},
		{"too large", "Webhook-Id: ID\r\nWebhook-Timestamp: TIME\r\nWebhook-Signature: SIGNATURE", "3e9\r\n" + strings.Repeat("h", 1001) + "\r\n0\r\n\r\n", "413"},
		{"cut", "Webhook-Id: ID\r\nWebhook-Timestamp: TIME\r\nWebhook-Signature: SIGNATURE", "5\r\nhel", "400"},
	} {
		id := fmt.Sprint("msg_", i)
		header, err := webhook.Sign(id, time.Now(), []byte("hello"), key)
		if err != nil {
			t.Fatal(err)
		}
		headers := strings.NewReplacer("ID:", "ID:", "ID", id, "TIME", header.Get("webhook-timestamp"), "SIGNATURE", header.Get("webhook-signature")).Replace(c.headers)
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		// The server may answer, and close, before all of it is written.
		go func() {
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n%s\r\n\r\n%s", headers, c.body)
			conn.(*net.TCPConn).CloseWrite()
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		answer, _ := io.ReadAll(res.Body)
		conn.Close()
		if !strings.HasPrefix(res.Status, c.want) || res.StatusCode == 200 && string(answer) != "hello <nil>" {
			t.Errorf("%s: %s %q, want %s", c.name, res.Status, answer, c.want)
		}
	}
}
