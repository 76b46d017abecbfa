package soak

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/textproto"
	"slices"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// patience bounds every step of a client. It is long, since the machine may be busy and the race detector slows the
// daemon down.
const patience = 3 * time.Minute

// client opens one session after the other, in its own directory. It knows the possible contents of each of its
// files.
type client struct {
	soak   *soak
	id     int
	user   string
	chance *rand.Rand

	// files are the possible contents of each name in the directory; there are several versions if the outcome of an
	// operation is not known.
	files map[string][]version
	// retired are names that are left alone for a while, since the daemon may still be working on them.
	retired map[string]retired
	named   int
	keys    uint64

	conn *ftpclient.Client
	tap  *tap
	made bool // whether the directory exists
	// moving is true while a transfer has started and was not acknowledged yet.
	moving bool
}

// retired is the possible contents of a name that is left alone, and since when.
type retired struct {
	versions []version
	since    time.Time
}

// retirement is the time for which names are left alone: longer than the daemon may take to notice the reset of a
// client that has vanished.
const retirement = time.Minute

// errOver ends a session as its client intended.
var errOver = errors.New("the session is over")

// expendable reports whether other clients end its sessions now and then, so that any operation may fail.
func (c *client) expendable() bool { return c.user == victim }

// run opens sessions until the soak ends.
func (c *client) run(ctx context.Context) {
	for !c.soak.over() && ctx.Err() == nil {
		c.moving = false
		err := c.session(ctx)
		if err != nil && c.soak.draining.Load() && !c.moving {
			return // the daemon accepts nothing new
		}
		if err != nil && ctx.Err() == nil && (errors.Is(err, errWrong) || !c.expendable()) {
			c.soak.fail("client %d, from %s: %w", c.id, c.source(), err)
		}
	}
}

// source returns the client's address. Some clients share one, as behind a router.
func (c *client) source() netip.Addr {
	return netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + c.id%50)})
}

// session logs in and does random operations.
func (c *client) session(ctx context.Context) error {
	c.recall()
	if err := c.login(ctx); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	defer func() { _ = c.conn.Close() }()
	for range 1 + c.chance.IntN(20) {
		if c.soak.over() {
			break
		}
		op := c.soak.plan.pick(c.chance)
		err := op.do(c, ctx)
		c.soak.count(op.name)
		if errors.Is(err, errOver) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
	}
	return c.conn.Quit()
}

func (c *client) login(ctx context.Context) error {
	c.tap = &tap{Host: ftpclient.Host{Source: c.source()}, wait: patience}
	if c.expendable() {
		c.tap.wait = 10 * time.Second
	}
	var err error
	switch c.chance.IntN(4) {
	case 0, 1:
		c.conn, err = ftpclient.Login(ctx, c.tap, c.soak.daemon.control, c.user, ftptest.Password)
	case 2:
		c.conn, err = ftpclient.LoginTLS(ctx, c.tap, ftpclient.Explicit, c.soak.daemon.control, c.user, ftptest.Password, c.tls())
	default:
		c.conn, err = ftpclient.LoginTLS(ctx, c.tap, ftpclient.Implicit, c.soak.daemon.implicit, c.user, ftptest.Password, c.tls())
	}
	if err != nil {
		return err
	}
	if !c.made {
		if err := c.ask("MKD "+c.dir(), 257, 550); err != nil { // 550: the reply to an earlier MKD was lost
			_ = c.conn.Close()
			return err
		}
		c.made = true
	}
	return nil
}

// tls returns the client's TLS configuration, with its own session cache.
func (c *client) tls() *tls.Config {
	config := c.soak.daemon.authority.Client()
	if c.chance.IntN(2) == 0 {
		config.MaxVersion = tls.VersionTLS12
	}
	return config
}

func (c *client) dir() string             { return fmt.Sprintf("c%d", c.id) }
func (c *client) path(name string) string { return c.dir() + "/" + name }

// ask sends a command whose reply must have one of the codes.
func (c *client) ask(command string, codes ...int) error {
	code, text, err := c.converse(command)
	if err != nil {
		return err
	}
	if !slices.Contains(codes, code) {
		return fmt.Errorf("%s: %d %s, not %v", command, code, text, codes)
	}
	return nil
}

func (c *client) converse(command string) (code int, text string, err error) {
	if err := c.conn.Send(command); err != nil {
		return 0, "", err
	}
	return c.reply(command)
}

// reply reads the next reply.
func (c *client) reply(what string) (code int, text string, err error) {
	if code, text, err = c.conn.Reply(); err != nil {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return code, text, err
}

// expect reads replies, which must have these codes in this order.
func (c *client) expect(what string, codes ...int) error {
	for _, want := range codes {
		code, text, err := c.reply(what)
		if err != nil {
			return err
		}
		if code != want {
			return fmt.Errorf("%s: %d %s, not %d", what, code, text, want)
		}
	}
	return nil
}

// begin starts a transfer, with a random mode of data connection.
func (c *client) begin(ctx context.Context, command string) (*ftpclient.Transfer, error) {
	modes := []ftpclient.Mode{
		ftpclient.PASV, ftpclient.PASV, ftpclient.PASV, ftpclient.EPSV, ftpclient.EPSV, ftpclient.EPSV,
		ftpclient.PORT, ftpclient.EPRT,
	}
	t, err := c.conn.Begin(ctx, modes[c.chance.IntN(len(modes))], command)
	c.moving = err == nil
	return t, err
}

// end ends a transfer that must be acknowledged. moved is the error that ended reading or writing; nil if the end of
// the file was reached.
func (c *client) end(t *ftpclient.Transfer, moved error) error {
	err := t.Finish(moved)
	c.moving = err != nil
	return err
}

// wait pauses, or returns early when the soak ends.
func (c *client) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-c.soak.ending:
	}
}

// fresh returns a version that no file has had yet.
func (c *client) fresh() version {
	c.keys++
	return version{key: uint64(c.id)<<32 | c.keys, size: sizeOf(c.chance, maxSize)} //nolint:gosec // not negative
}

// some returns the name and content of a file that is known to exist, and false if there is none.
func (c *client) some(ctx context.Context) (string, version, bool, error) {
	names := make([]string, 0, len(c.files))
	for name := range c.files {
		names = append(names, name)
	}
	slices.Sort(names) // so that a run can be repeated
	if len(names) == 0 {
		return "", absent, false, nil
	}
	name := names[c.chance.IntN(len(names))]
	if err := c.settle(ctx, name); err != nil {
		return "", absent, false, err
	}
	if len(c.files[name]) == 0 {
		return "", absent, false, nil
	}
	return name, c.files[name][0], true, nil
}

// settle finds out the content of a name.
func (c *client) settle(ctx context.Context, name string) error {
	if len(c.files[name]) == 1 && c.files[name][0] != absent {
		return nil
	}
	return c.fetch(ctx, name, 0)
}

// know records the content of a name.
func (c *client) know(name string, v version) {
	if v == absent {
		delete(c.files, name)
		return
	}
	c.files[name] = []version{v}
}

// maybe records that a name may soon have another content, or not exist.
func (c *client) maybe(name string, v version) {
	if c.files[name] == nil {
		c.files[name] = []version{absent}
	}
	c.files[name] = append(c.files[name], v)
}

// retire leaves a name alone: it has its former content, or may soon have another.
func (c *client) retire(name string) {
	c.retired[name] = retired{c.files[name], time.Now()}
	delete(c.files, name)
}

// recall uses names again that have been left alone for long enough.
func (c *client) recall() {
	for name, r := range c.retired {
		if time.Since(r.since) > retirement {
			c.files[name] = r.versions
			delete(c.retired, name)
		}
	}
}

// codeOf returns the code of the reply in an error; 0 if there is none.
func codeOf(err error) int {
	var said *textproto.Error
	if !errors.As(err, &said) {
		return 0
	}
	return said.Code
}
