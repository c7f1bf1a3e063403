package netfault_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/netfault"
)

// echo is a server that sends back each line.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

type client struct {
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, p *netfault.Proxy) *client {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &client{c, bufio.NewReader(c)}
}

func (c *client) ask(patience time.Duration) error {
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		return err
	}
	return c.answer(patience)
}

func (c *client) answer(patience time.Duration) error {
	c.SetReadDeadline(time.Now().Add(patience))
	_, err := c.lines.ReadString('\n')
	return err
}

const (
	long  = 20 * time.Second
	short = 50 * time.Millisecond // of what never comes
)

func works(t *testing.T, c *client) {
	t.Helper()
	if err := c.ask(long); err != nil {
		t.Fatal(err)
	}
}

func silent(t *testing.T, c *client) {
	t.Helper()
	if err := c.ask(short); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the answer is %v, want silence", err)
	}
}

func TestSwallow(t *testing.T) {
	p := netfault.Start(t, echo(t))
	old := dial(t, p)
	works(t, old)
	p.Swallow()
	silent(t, old)
	during := dial(t, p)
	silent(t, during)
	p.Heal()
	silent(t, old) // a stream with a gap
	silent(t, during)
	works(t, dial(t, p))
	if p.Swallowed() != 2 {
		t.Errorf("%d connections swallowed, want 2", p.Swallowed())
	}
}

func TestStrand(t *testing.T) {
	p := netfault.Start(t, echo(t))
	old := dial(t, p)
	works(t, old)
	p.Strand()
	silent(t, old)
	works(t, dial(t, p))
}

func TestHold(t *testing.T) {
	p := netfault.Start(t, echo(t))
	c := dial(t, p)
	works(t, c)
	p.Hold()
	silent(t, c)
	p.Heal()
	if err := c.answer(long); err != nil {
		t.Errorf("what was held did not arrive: %v", err)
	}
}

func TestDelay(t *testing.T) {
	p := netfault.Start(t, echo(t))
	c := dial(t, p)
	works(t, c)
	p.Delay(30 * time.Millisecond)
	since := time.Now()
	works(t, c)
	if took := time.Since(since); took < 60*time.Millisecond {
		t.Errorf("there and back took %s, want 60 ms at least", took)
	}
}

func TestResetShutRefuse(t *testing.T) {
	p := netfault.Start(t, echo(t))
	c := dial(t, p)
	works(t, c)
	if n := p.Reset(); n != 1 {
		t.Errorf("%d connections were reset, want 1", n)
	}
	if err := c.answer(long); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after a reset a client reads %v", err)
	}
	c = dial(t, p)
	works(t, c)
	p.Shut()
	if err := c.answer(long); err != io.EOF {
		t.Errorf("after Shut a client reads %v, want io.EOF", err)
	}
	p.Refuse()
	if err := dial(t, p).answer(long); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a refused client reads %v", err)
	}
}

func TestOnSend(t *testing.T) {
	p := netfault.Start(t, echo(t))
	c := dial(t, p)
	p.OnSend("COMMIT", p.Swallow)
	works(t, c)
	if _, err := io.WriteString(c, "COMMIT\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.answer(short); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the answer is %v, want silence", err)
	}
}

func TestAnswers(t *testing.T) {
	p := netfault.Start(t, echo(t))
	c := dial(t, p)
	n := p.Answers("40P01")
	for _, line := range []string{"40P01", "40001", "code 40P01 and more"} {
		if _, err := io.WriteString(c, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if err := c.answer(long); err != nil {
			t.Fatal(err)
		}
	}
	if n() != 2 {
		t.Errorf("%d answers, want 2", n())
	}
}

// Cut: the server has the bytes or has them not, and the client cannot tell.
func TestCut(t *testing.T) {
	for _, sent := range []bool{false, true} {
		heard := make(chan string, 1)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			lines := bufio.NewReader(c)
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					heard <- "end"
					return
				}
				if line == "COMMIT\n" {
					heard <- line
				}
				io.WriteString(c, line)
			}
		}()
		p := netfault.Start(t, l.Addr().String())
		c := dial(t, p)
		works(t, c)
		p.Cut("hello", sent)
		p.Heal() // it is forgotten
		p.Cut("COMMIT", sent)
		works(t, c)
		if _, err := io.WriteString(c, "COMMIT\n"); err != nil {
			t.Fatal(err)
		}
		if err := c.answer(short); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("sent %t: the answer is %v, want silence", sent, err)
		}
		if sent {
			if got := <-heard; got != "COMMIT\n" {
				t.Errorf("the server read %q, want the COMMIT", got)
			}
		}
		if p.Cuts() != 1 || p.Expire() != 1 {
			t.Errorf("sent %t: %d cuts, want one, and one to expire", sent, p.Cuts())
		}
		if got := <-heard; got != "end" {
			t.Errorf("sent %t: the server read %q, want the end", sent, got)
		}
		if err := c.answer(long); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("sent %t: when it has expired the client reads %v", sent, err)
		}
	}
}
