package load

import (
	"fmt"
	"io"
	"net/textproto"
	"os"
	"syscall"
	"testing"

	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

func TestOutcome(t *testing.T) {
	reply := func(code int) error {
		return fmt.Errorf("STOR: %w", &textproto.Error{Code: code, Msg: "as it may be"})
	}
	late, reset := fmt.Errorf("read: %w", os.ErrDeadlineExceeded), syscall.ECONNRESET
	for _, c := range []struct {
		name string
		err  error
		want Outcome
	}{
		{"no error", nil, Completed},
		{"421 to PASV", &ftpclient.TransferError{Step: ftpclient.AskingForPort, Err: reply(421)}, Ended},
		{"the session is gone at PASV", &ftpclient.TransferError{Step: ftpclient.AskingForPort, Err: io.EOF}, Ended},
		{"425 to PASV", &ftpclient.TransferError{Step: ftpclient.AskingForPort, Err: reply(425)}, Failed},
		{"no reply to PASV", &ftpclient.TransferError{Step: ftpclient.AskingForPort, Err: late}, Failed},
		{"550 to RETR", &ftpclient.TransferError{Step: ftpclient.Commanding, Err: reply(550)}, Failed},
		{"421 to RETR", &ftpclient.TransferError{Step: ftpclient.Commanding, Err: reply(421)}, Ended},
		{"the port is closed", &ftpclient.TransferError{Step: ftpclient.Connecting, Err: syscall.ECONNREFUSED}, Misrouted},
		{"TLS on the data connection fails, 425", &ftpclient.TransferError{Step: ftpclient.Opening, Err: io.EOF, Reply: reply(425)}, Misrouted},
		{"TLS on the data connection fails, 522", &ftpclient.TransferError{Step: ftpclient.Opening, Err: io.EOF, Reply: reply(522)}, Cut},
		{"reset, and the server waits", &ftpclient.TransferError{Step: ftpclient.Moving, Err: reset, Reply: late}, Misrouted},
		{"reset, 425", &ftpclient.TransferError{Step: ftpclient.Moving, Err: reset, Reply: reply(425)}, Misrouted},
		{"reset, 426", &ftpclient.TransferError{Step: ftpclient.Moving, Err: reset, Reply: reply(426)}, Cut},
		{"reset, and the session is gone", &ftpclient.TransferError{Step: ftpclient.Moving, Err: reset, Reply: io.EOF}, Cut},
		{"nothing came, and the server waits", &ftpclient.TransferError{Step: ftpclient.Moving, Err: &shortError{0}, Reply: late}, Misrouted},
		{"a part came, and the server is silent", &ftpclient.TransferError{Step: ftpclient.Moving, Err: &shortError{9}, Reply: late}, Cut},
		{"a part came, and the server says 226", &ftpclient.TransferError{Step: ftpclient.Moving, Err: &shortError{9}}, Wrong},
		{"all was sent, 425", &ftpclient.TransferError{Step: ftpclient.Concluding, Err: reply(425)}, Misrouted},
		{"all was sent, and the server waits", &ftpclient.TransferError{Step: ftpclient.Concluding, Err: late}, Misrouted},
		{"all was sent, 451", &ftpclient.TransferError{Step: ftpclient.Concluding, Err: reply(451)}, Cut},
		{"all was sent, and the session is gone", &ftpclient.TransferError{Step: ftpclient.Concluding, Err: io.EOF}, Cut},
		{"another's bytes, whatever the server says", &ftpclient.TransferError{Step: ftpclient.Moving, Err: wrongAt(7), Reply: reply(425)}, Wrong},
		{"another's bytes, and 226", &ftpclient.TransferError{Step: ftpclient.Moving, Err: wrongAt(7)}, Wrong},
		{"reset, and 226", &ftpclient.TransferError{Step: ftpclient.Moving, Err: reset}, Cut},
	} {
		if got := outcome(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
