package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/pires/go-proxyproto"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// v2 returns a version 2 header with any content.
func v2(command, family byte, rest string) string {
	length := binary.BigEndian.AppendUint16(nil, uint16(len(rest))) //nolint:gosec // a test's
	return string(proxyproto.SIGV2) + string([]byte{0x20 | command, family}) + string(length) + rest
}

const (
	v4Addresses = "\xc0\x00\x02\x01\xcb\x00\x71\x0a\x30\x39\x00\x15" // 192.0.2.1:12345 to 203.0.113.10:21
	v6Addresses = " \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01 \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x30\x39\x00\x15"
)

var headers = map[string]struct {
	raw, want string // want is the source and the destination, "local", or a part of the error
}{
	"v1 over IPv4":            {"PROXY TCP4 192.0.2.1 203.0.113.10 12345 21\r\n", "192.0.2.1:12345 203.0.113.10:21"},
	"v1 over IPv6":            {"PROXY TCP6 2001:db8::1 2001:db8::2 12345 21\r\n", "[2001:db8::1]:12345 [2001:db8::2]:21"},
	"v1 unknown":              {"PROXY UNKNOWN\r\n", "local"},
	"v1 unknown with text":    {"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "local"},
	"v1 mapped":               {"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:203.0.113.10 1 2\r\n", "192.0.2.1:1 203.0.113.10:2"},
	"v1 without CR":           {"PROXY TCP4 192.0.2.1 203.0.113.10 12345 21\n" + strings.Repeat("x", 100), "longer than 107"},
	"v1 with two lines":       {"PROXY TCP4\nTCP6 192.0.2.1 203.0.113.10 12345 21\r\n", "malformed"},
	"v1 too long":             {"PROXY UNKNOWN " + strings.Repeat("x", 200) + "\r\n", "longer than 107"},
	"v1 port too high":        {"PROXY TCP4 192.0.2.1 203.0.113.10 65536 21\r\n", "port"},
	"v1 negative port":        {"PROXY TCP4 192.0.2.1 203.0.113.10 -1 21\r\n", "port"},
	"v1 bad address":          {"PROXY TCP4 192.0.2.256 203.0.113.10 1 21\r\n", "address"},
	"v1 address with zone":    {"PROXY TCP6 fe80::1%eth0 fe80::2 1 21\r\n", "address"},
	"v1 UDP":                  {"PROXY UDP4 192.0.2.1 203.0.113.10 1 21\r\n", "proxyproto"},
	"v1 cut":                  {"PROXY TCP4 192.0.2.1", "EOF"},
	"v1 from nowhere":         {"PROXY TCP4 0.0.0.0 203.0.113.10 1 21\r\n", "no connection is from"},
	"v2 over IPv4":            {v2(1, 0x11, v4Addresses), "192.0.2.1:12345 203.0.113.10:21"},
	"v2 over IPv6":            {v2(1, 0x21, v6Addresses), "[2001:db8::1]:12345 [2001:db8::2]:21"},
	"v2 with fields":          {v2(1, 0x11, v4Addresses+"\x04\x00\x03abc"), "192.0.2.1:12345 203.0.113.10:21"},
	"v2 local":                {v2(0, 0, ""), "local"},
	"v2 local with addresses": {v2(0, 0x11, v4Addresses), "local"},
	"v2 local with junk":      {v2(0, 0, strings.Repeat("x", 300)), "local"},
	"v2 UDP":                  {v2(1, 0x12, v4Addresses), "not of a TCP connection"},
	"v2 Unix":                 {v2(1, 0x31, strings.Repeat("x", 216)), "not of a TCP connection"},
	"v2 unspecified":          {v2(1, 0, ""), "unsupported"},
	"v2 too short":            {v2(1, 0x11, v4Addresses[:11]), "invalid length"},
	"v2 too long":             {v2(1, 0x11, v4Addresses+strings.Repeat("\x00", 5000)), "more than 4096"},
	"v2 cut":                  {v2(1, 0x11, v4Addresses)[:20], "EOF"},
	"v2 unknown command":      {v2(7, 0x11, v4Addresses), "command"},
	"v3":                      {strings.Replace(v2(1, 0x11, v4Addresses), "\x21", "\x31", 1), "command"},
	"an FTP command":          {"USER anonymous\r\n", "no PROXY"},
	"a short FTP command":     {"QUIT\r\n", "no PROXY"},
	"TLS":                     {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00", "no PROXY"},
	"nothing":                 {"", "EOF"},
	"a beginning":             {"PRO", "EOF"},
	"nearly v2":               {"\r\n\r\n\x00\r\nQUIT\r\n\r\n", "no PROXY"},
}

func text(h Header) string {
	if h.Local {
		return "local"
	}
	return h.Source.String() + " " + h.Destination.String()
}

func TestReadHeader(t *testing.T) {
	for name, c := range headers {
		for way, reader := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader} {
			src := strings.NewReader(c.raw + "what follows")
			if strings.Contains(c.want, "EOF") || strings.HasPrefix(c.raw, "QUIT") {
				src = strings.NewReader(c.raw)
			}
			h, err := ReadHeader(reader(src))
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s, %s: got %v, want %s", name, way, err, c.want)
				}
				continue
			}
			if rest, _ := io.ReadAll(src); text(h) != c.want || string(rest) != "what follows" {
				t.Errorf("%s, %s: got %s, want %s; then %q", name, way, text(h), c.want, rest)
			}
		}
	}
}

// ReadHeader reads a header of the library as it was meant, and no byte beyond it.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "size")
		address := func(label string) netip.AddrPort {
			raw := rapid.SliceOfN(rapid.Byte(), size, size).Filter(func(b []byte) bool {
				a, _ := netip.AddrFromSlice(b)
				return !bad(a) && !a.Is4In6()
			}).Draw(t, label)
			a, _ := netip.AddrFromSlice(raw)
			return netip.AddrPortFrom(a, rapid.Uint16().Draw(t, "port"))
		}
		want := Header{Source: address("source"), Destination: address("destination")}
		version := rapid.SampledFrom([]byte{1, 2}).Draw(t, "version")
		raw, err := proxyproto.HeaderProxyFromAddrs(version, net.TCPAddrFromAddrPort(want.Source), net.TCPAddrFromAddrPort(want.Destination)).Format()
		if err != nil {
			t.Fatal(err)
		}
		follows := rapid.SliceOf(rapid.Byte()).Draw(t, "follows")
		src := bytes.NewReader(append(bytes.Clone(raw), follows...))
		got, err := ReadHeader(src)
		rest, _ := io.ReadAll(src)
		if err != nil || got != want || !bytes.Equal(rest, follows) {
			t.Fatalf("got %+v (%v), then %q, want %+v, then %q", got, err, rest, want, follows)
		}
	})
}

// No input makes ReadHeader panic, read more than a header can have, or return an address that no connection can
// have. A header that it accepts ends exactly where the next byte starts.
func FuzzReadHeader(f *testing.F) {
	for _, c := range headers {
		f.Add([]byte(c.raw))
		f.Add([]byte(c.raw + "USER alice\r\n"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		src := bytes.NewReader(raw)
		h, err := ReadHeader(src)
		used := len(raw) - src.Len()
		if used > fixed+maxV2 {
			t.Fatalf("%d bytes were read", used)
		}
		if err != nil {
			if h != (Header{}) {
				t.Fatalf("%+v with %v", h, err)
			}
			return
		}
		if h.Local != (h.Source == netip.AddrPort{}) || h.Local != (h.Destination == netip.AddrPort{}) {
			t.Fatalf("%+v", h)
		}
		if !h.Local && (bad(h.Source.Addr()) || h.Source.Addr().Is4In6() || h.Source.Addr().Is4() != h.Destination.Addr().Is4()) {
			t.Fatalf("%+v", h)
		}
		// The header alone, byte by byte, gives the same result, and one byte less is not enough.
		again, err := ReadHeader(iotest.OneByteReader(bytes.NewReader(raw[:used])))
		if err != nil || again != h {
			t.Fatalf("%+v, %v again, %+v at first", again, err, h)
		}
		if _, err := ReadHeader(bytes.NewReader(raw[:used-1])); err == nil {
			t.Fatal("a header without its last byte was taken")
		}
	})
}

func TestPolicy(t *testing.T) {
	trusted := config.Networks(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"))
	for _, c := range []struct {
		mode    config.ProxyMode
		peer    string
		expects bool
		err     error
	}{
		{config.ProxyOff, "10.0.0.1", false, nil},
		{config.ProxyAccept, "10.0.0.1", true, nil},
		{config.ProxyAccept, "::ffff:10.0.0.1", true, nil},
		{config.ProxyAccept, "192.0.2.1", false, nil},
		{config.ProxyRequire, "fd00::1", true, nil},
		{config.ProxyRequire, "192.0.2.1", false, ErrUntrusted},
	} {
		p := NewPolicy(config.ProxyProtocol{Mode: c.mode, Trusted: trusted})
		if got, err := p.Expects(netip.MustParseAddr(c.peer)); got != c.expects || !errors.Is(err, c.err) {
			t.Errorf("%s from %s: %v, %v", c.mode, c.peer, got, err)
		}
	}
	var none *Policy
	if got, err := none.Expects(netip.MustParseAddr("10.0.0.1")); got || err != nil {
		t.Errorf("without a policy: %v, %v", got, err)
	}
}

// pipe returns both ends of a TCP connection.
func pipe(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // a test's
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Close(), other.Close() })
	return conn.(*net.TCPConn), other.(*net.TCPConn)
}

type outcome struct {
	h   Header
	err error
}

func TestReader(t *testing.T) {
	r := NewReader(time.Minute, 2)
	defer r.Close()
	got := make(chan outcome, 10)
	then := func(h Header, err error) { got <- outcome{h, err} }
	silent, server1 := pipe(t)
	quick, server2 := pipe(t)
	_, server3 := pipe(t)
	if !r.Go(server1, then) || !r.Go(server2, then) || r.Go(server3, then) {
		t.Fatal("the bound of pending connections does not hold")
	}
	_, _ = io.WriteString(quick, "PROXY TCP4 192.0.2.1 203.0.113.10 12345 21\r\nhello")
	if o := <-got; o.err != nil || o.h.Source.String() != "192.0.2.1:12345" {
		t.Errorf("%+v", o)
	}
	_ = quick.CloseWrite()
	if rest, err := io.ReadAll(server2); string(rest) != "hello" || err != nil {
		t.Errorf("then %q, %v", rest, err)
	}
	_ = silent.Close()
	if o := <-got; !errors.Is(o.err, io.EOF) {
		t.Errorf("%+v", o)
	}
}

// A header that does not arrive in time fails, even if its bytes trickle in.
func TestReaderTimeout(t *testing.T) {
	r := NewReader(50*time.Millisecond, 1)
	defer r.Close()
	client, server := pipe(t)
	got := make(chan outcome, 1)
	r.Go(server, func(h Header, err error) { got <- outcome{h, err} })
	var timeout net.Error
	for i, tick := 0, time.NewTicker(5*time.Millisecond); ; i++ {
		select {
		case o := <-got:
			tick.Stop()
			if !errors.As(o.err, &timeout) || !timeout.Timeout() {
				t.Errorf("%+v", o)
			}
			return
		case <-tick.C:
			_, _ = client.Write([]byte("PROXY UNKNOWN                                    ")[min(i, 40) : min(i, 40)+1])
		}
	}
}

func TestReaderClose(t *testing.T) {
	r := NewReader(time.Minute, 1)
	_, server := pipe(t)
	got := make(chan outcome, 1)
	r.Go(server, func(h Header, err error) { got <- outcome{h, err} })
	r.Close()
	if o := <-got; !errors.Is(o.err, net.ErrClosed) {
		t.Errorf("%+v", o)
	}
	if r.Go(server, nil) {
		t.Error("a closed reader reads")
	}
	r.Close()
}
