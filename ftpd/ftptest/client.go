package ftptest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Client is an FTP client for tests. It checks everything that the server sends.
type Client struct {
	*net.TCPConn
	t testing.TB
	r *bufio.Reader
	w io.Writer
	secured
}

// Dial connects to the server and does not read the greeting. The connection is closed when the test ends.
func Dial(t testing.TB, addr string) *Client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return newClient(t, conn.(*net.TCPConn))
}

func newClient(t testing.TB, conn *net.TCPConn) *Client {
	return &Client{TCPConn: conn, t: t, r: bufio.NewReader(conn), w: conn}
}

// Login connects, logs in with Password and sets TYPE I.
func Login(t testing.TB, addr, user string) *Client {
	t.Helper()
	c := Dial(t, addr)
	c.Talk("S: 220 *")
	c.LoginAs(user)
	return c
}

// LoginAs logs in with Password and sets TYPE I.
func (c *Client) LoginAs(user string) {
	c.t.Helper()
	c.Talk(`
		C: USER ` + user + `
		S: 331 *
		C: PASS ` + Password + `
		S: 230 *
		C: TYPE I
		S: 200 *`)
}

// Talk runs a transcript. It sends a line "C: text", with CR LF. For "S: pattern" the next line from the server must
// match the pattern, in which "*" stands for any text. "S: ..." skips lines until one matches the next pattern. "S:
// EOF" is the end of the connection. All other lines must be empty.
func (c *Client) Talk(transcript string) {
	c.t.Helper()
	skip := false
	for line := range strings.Lines(transcript) {
		line = strings.Trim(line, "\t\r\n")
		kind, text, _ := strings.Cut(line, ": ")
		switch {
		case strings.TrimSpace(line) == "":
		case kind == "C":
			c.Send(text + "\r\n")
		case line == "S: ...":
			skip = true
		case kind == "S":
			c.expect(text, skip)
			skip = false
		default:
			c.t.Fatalf("not a line of a transcript: %q", line)
		}
	}
}

func (c *Client) expect(pattern string, skip bool) {
	c.t.Helper()
	for {
		line, err := c.Line()
		switch {
		case pattern == "EOF" && err != nil:
			return
		case err != nil:
			c.t.Fatalf("expected %q, but: %v", pattern, err)
		case matches(pattern, line):
			return
		case !skip:
			c.t.Fatalf("expected %q, got %q", pattern, line)
		}
	}
}

func matches(pattern, line string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(line)
}

// Send sends text as it is.
func (c *Client) Send(text string) {
	c.t.Helper()
	_ = c.SetWriteDeadline(Deadline(c.t))
	if _, err := io.WriteString(c.w, text); err != nil {
		c.t.Fatalf("sending %q: %v", text, err)
	}
}

// Line returns the next line from the server without its CR LF, which it must have.
func (c *Client) Line() (string, error) {
	_ = c.SetReadDeadline(Deadline(c.t))
	line, err := c.r.ReadString('\n')
	if err != nil {
		if line == "" && errors.Is(err, io.EOF) {
			return "", io.EOF
		}
		return "", fmt.Errorf("after %q: %w", line, err)
	}
	text, ok := strings.CutSuffix(line, "\r\n")
	if !ok {
		c.t.Fatalf("line without CR LF: %q", line)
	}
	return text, nil
}

// Do sends a command and returns the last line of its reply.
func (c *Client) Do(command string) string {
	c.t.Helper()
	c.Send(command + "\r\n")
	return c.Reply()
}

// Reply returns the last line of the next reply.
func (c *Client) Reply() string {
	c.t.Helper()
	first, err := c.Line()
	if err != nil {
		c.t.Fatalf("expected a reply, but: %v", err)
	}
	if len(first) < 4 || first[3] != '-' {
		return first
	}
	for {
		line, err := c.Line()
		if err != nil {
			c.t.Fatalf("in a reply of several lines: %v", err)
		}
		if strings.HasPrefix(line, first[:3]+" ") {
			return line
		}
	}
}

// Must sends a command, whose reply must begin with the given text.
func (c *Client) Must(command, reply string) {
	c.t.Helper()
	if got := c.Do(command); !strings.HasPrefix(got, reply) {
		c.t.Fatalf("%s: expected %s, got %q", command, reply, got)
	}
}

var (
	pasvReply = regexp.MustCompile(`^227 Entering Passive Mode \((\d+),(\d+),(\d+),(\d+),(\d+),(\d+)\)\.$`)
	epsvReply = regexp.MustCompile(`^229 [^(]*\(\|\|\|(\d+)\|\)$`)
)

// PasvAddr sends PASV and returns the address in the reply.
func (c *Client) PasvAddr() string {
	c.t.Helper()
	reply := c.Do("PASV")
	m := pasvReply.FindStringSubmatch(reply)
	if m == nil {
		c.t.Fatalf("PASV: %q", reply)
	}
	high, _ := strconv.Atoi(m[5])
	low, _ := strconv.Atoi(m[6])
	return net.JoinHostPort(strings.Join(m[1:5], "."), strconv.Itoa(high<<8|low))
}

// EpsvAddr sends EPSV and returns the address to connect to.
func (c *Client) EpsvAddr() string {
	c.t.Helper()
	reply := c.Do("EPSV")
	m := epsvReply.FindStringSubmatch(reply)
	if m == nil {
		c.t.Fatalf("EPSV: %q", reply)
	}
	host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	return net.JoinHostPort(host, m[1])
}

// DialData opens a data connection, from the control connection's own address. It is closed at the end of the test at
// the latest.
func (c *Client) DialData(addr string) *net.TCPConn {
	c.t.Helper()
	own := c.LocalAddr().(*net.TCPAddr).IP // always a *net.TCPAddr
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: own}, Timeout: Patience(c.t)}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(Deadline(c.t))
	return conn.(*net.TCPConn)
}

// Data sends EPSV and opens the data connection.
func (c *Client) Data() *net.TCPConn {
	c.t.Helper()
	return c.DialData(c.EpsvAddr())
}

// Get runs a command that sends data to the client and returns them.
func (c *Client) Get(command string) string {
	c.t.Helper()
	raw := c.Data()
	c.Must(command, "150")
	data := c.Protect(raw)
	got, err := io.ReadAll(data)
	if err != nil {
		c.t.Fatalf("%s: %v", command, err)
	}
	_ = data.Close()
	if reply := c.Reply(); !strings.HasPrefix(reply, "226") {
		c.t.Fatalf("%s: %q", command, reply)
	}
	return string(got)
}

// Put runs a command that receives data from the client, and returns the last line of the last reply.
func (c *Client) Put(command, content string) string {
	c.t.Helper()
	raw := c.Data()
	c.Must(command, "150")
	data := c.Protect(raw)
	if _, err := io.WriteString(data, content); err != nil {
		c.t.Fatalf("%s: %v", command, err)
	}
	_ = data.Close()
	return c.Reply()
}

// TB returns the test that the client belongs to.
func (c *Client) TB() testing.TB { return c.t }
