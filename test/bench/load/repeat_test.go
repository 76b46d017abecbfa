package load

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// several starts a server and logs in to it several times.
func several(t *testing.T, n int) (*ftptest.Server, []*Session) {
	t.Helper()
	s := ftptest.Start(t)
	var list []*Session
	for range n {
		c, err := Login(Account{Server: netip.MustParseAddrPort(s.Addr), User: "alice", Password: ftptest.Password}, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.Binary(); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return s, list
}

func numbered(b []byte, session, i int) []byte { return fmt.Appendf(b, "%d-%d", session, i) }

// Files come and go by many sessions at once, small ones and some that fit into no buffer of the kernel, and the sessions
// can be used as before then.
func TestRepeat(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 1 << 10, 12 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			const files = 3
			s, list := several(t, 5)
			data := bytes.Repeat([]byte("x"), size)
			for _, job := range []Job{
				{Name: numbered, Data: data, Most: files},
				{Name: numbered, Bytes: int64(size), Most: files},
			} {
				rate, calls, err := Repeat(list, time.Hour, job)
				if err != nil || calls != len(list)*files || rate <= 0 {
					t.Fatalf("%d files, %v a second: %v", calls, rate, err)
				}
			}
			for session := range list {
				for i := range files {
					if s.Read(t, string(numbered(nil, session, i))) != string(data) {
						t.Errorf("file %d of session %d is not what was sent", i, session)
					}
				}
			}
			for _, c := range list {
				if err := c.Command("NOOP", "200"); err != nil {
					t.Errorf("the session has lost its step: %v", err)
				}
			}
		})
	}
}

// The time ends a job, after at least one file of each session.
func TestRepeatEnds(t *testing.T) {
	t.Parallel()
	_, list := several(t, 3)
	if _, calls, err := Repeat(list, time.Nanosecond, Job{Name: numbered, Data: []byte("x")}); err != nil || calls != len(list) {
		t.Errorf("%d files: %v", calls, err)
	}
}

// Another number of bytes, or another reply, ends the job with an error that tells it.
func TestRepeatFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		job  Job
		want string
	}{
		"too few bytes":  {Job{Name: numbered, Bytes: 8}, "7 bytes came, and not 8"},
		"too many bytes": {Job{Name: numbered, Bytes: 6}, "7 bytes came, and not 6"},
		"no such file":   {Job{Name: func(b []byte, _, _ int) []byte { return append(b, "absent"...) }, Bytes: 7}, "550"},
		"no such folder": {Job{Name: func(b []byte, _, _ int) []byte { return append(b, "absent/x"...) }, Data: []byte("x")}, "550"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, list := several(t, 1)
			s.Write(t, "0-0", "content")
			tt.job.Most = 1
			if _, _, err := Repeat(list, time.Hour, tt.job); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	a := Account{Server: netip.MustParseAddrPort(s.Addr), User: "alice", Password: ftptest.Password}
	rate, calls, err := Logins(a, 3, time.Nanosecond)
	if err != nil || calls != 3 || rate <= 0 {
		t.Errorf("%d logins, %v a second: %v", calls, rate, err)
	}
	a.Password = "wrong"
	if _, _, err := Logins(a, 1, time.Hour); err == nil || !strings.Contains(err.Error(), "expected 230") || !strings.Contains(err.Error(), "530") {
		t.Errorf("with a wrong password: %v", err)
	}
}

// A server that closes its sessions ends the job.
func TestRepeatServerGone(t *testing.T) {
	t.Parallel()
	_, list := several(t, 2)
	if err := list[1].Command("QUIT", "221"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Repeat(list, time.Hour, Job{Name: numbered, Data: []byte("x")}); err == nil {
		t.Error("no error")
	}
}
