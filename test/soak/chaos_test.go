package soak

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// beginUpload starts an upload of new content and sends a part of it. Until the upload is completed, the name has its
// former content.
func (c *client) beginUpload(ctx context.Context) (*ftpclient.Transfer, string, version, error) {
	name, v := c.target(), c.fresh()
	t, err := c.begin(ctx, "STOR "+c.path(name))
	if err != nil {
		return nil, "", absent, err
	}
	_, err = io.Copy(t, version{v.key, v.size / 2}.from(0))
	return t, name, v, err
}

// beginDownload starts a download and reads a part of it. t is nil if there is nothing to download.
func (c *client) beginDownload(ctx context.Context) (t *ftpclient.Transfer, name string, v version, err error) {
	name, v, ok, err := c.some(ctx)
	if err != nil || !ok {
		return nil, "", absent, err
	}
	if t, err = c.begin(ctx, "RETR "+c.path(name)); err != nil {
		return nil, "", absent, err
	}
	seen := compare(c.files[name], 0)
	_, err = io.CopyN(seen, t, int64(v.size/2))
	return t, name, v, err
}

// abortUpload aborts an upload: no part of it may become visible.
func (c *client) abortUpload(ctx context.Context) error {
	t, _, _, err := c.beginUpload(ctx)
	if err != nil {
		return err
	}
	defer t.Abandon()
	if err := c.conn.Send("ABOR"); err != nil {
		return err
	}
	return c.expect("ABOR of an upload", 426, 226)
}

// abortDownload aborts a download, which the daemon may have completed already.
func (c *client) abortDownload(ctx context.Context) error {
	t, _, _, err := c.beginDownload(ctx)
	if err != nil || t == nil {
		return err
	}
	defer t.Abandon()
	if err := c.conn.Send("ABOR"); err != nil {
		return err
	}
	code, text, err := c.reply("ABOR of a download")
	if err == nil && code != 426 && code != 226 {
		err = fmt.Errorf("ABOR of a download: %d %s", code, text)
	}
	if err != nil {
		return err
	}
	return c.expect("ABOR", 226)
}

// stat sends STAT during an upload, and completes the upload.
func (c *client) stat(ctx context.Context) error {
	t, name, v, err := c.beginUpload(ctx)
	if err != nil {
		return err
	}
	c.maybe(name, v)
	if err := c.ask("STAT", 211); err != nil {
		return err
	}
	return c.finish(t, name, v, v.size/2)
}

// quit sends QUIT during a download, and must receive all of it before the session ends.
func (c *client) quit(ctx context.Context) error {
	name, _, ok, err := c.some(ctx)
	if err != nil || !ok {
		return err
	}
	t, err := c.begin(ctx, "RETR "+c.path(name))
	if err != nil {
		return err
	}
	if err := c.conn.Send("QUIT"); err != nil {
		return err
	}
	if err := c.take(t, name, 0); err != nil {
		return err
	}
	if err := c.expect("QUIT", 221); err != nil {
		return err
	}
	return errOver
}

// resetUpload resets the data connection of an upload: no part of it may become visible.
func (c *client) resetUpload(ctx context.Context) error {
	t, _, _, err := c.beginUpload(ctx)
	if err != nil {
		return err
	}
	return c.breakOff(t, "an upload", 426)
}

// breakOff resets the data connection of a transfer. The reply must have one of the codes, or 425: a daemon that
// dials may notice the end before it has seen the connection.
func (c *client) breakOff(t *ftpclient.Transfer, what string, codes ...int) error {
	c.breakData(t)
	code, text, err := c.reply(what + " that was reset")
	if err == nil && !slices.Contains(append(codes, 425), code) {
		err = fmt.Errorf("%s that was reset: %d %s", what, code, text)
	}
	return err
}

// breakData resets the data connection, also below TLS.
func (c *client) breakData(t *ftpclient.Transfer) {
	if c.tap.data != nil { // in active mode it is nil until the daemon has connected
		reset(c.tap.data)
	}
	t.Abandon()
}

// resetDownload resets the data connection of a download, which the daemon may have completed.
func (c *client) resetDownload(ctx context.Context) error {
	t, _, _, err := c.beginDownload(ctx)
	if err != nil || t == nil {
		return err
	}
	return c.breakOff(t, "a download", 426, 226)
}

// vanish resets all connections during an upload, as if the client's machine lost its power or its network: no part
// of the upload may become visible.
func (c *client) vanish(ctx context.Context) error {
	t, name, _, err := c.beginUpload(ctx)
	if err != nil {
		return err
	}
	if c.files[name] != nil {
		c.retire(name) // the daemon may notice later, and may hold the name until then
	}
	reset(c.tap.control)
	c.breakData(t)
	return errOver
}

// vanishGrowing is vanish during an upload that appends to a file.
func (c *client) vanishGrowing(ctx context.Context) error {
	name, v, ok, err := c.some(ctx)
	if err != nil || !ok || c.expendable() {
		return err
	}
	t, longer, err := c.beginGrowth(ctx, name, v)
	if err != nil {
		return err
	}
	_, err = io.Copy(t, version{v.key, (v.size + longer.size) / 2}.from(v.size))
	c.know(name, v)
	c.retire(name)
	reset(c.tap.control)
	c.breakData(t)
	if err != nil {
		return err
	}
	return errOver
}

// hangUp closes the control connection without QUIT.
func (c *client) hangUp(context.Context) error {
	if c.chance.IntN(2) == 0 {
		reset(c.tap.control)
	}
	return errOver
}

// stall pauses during an upload, for longer than the daemon waits, or until the soak ends.
func (c *client) stall(ctx context.Context) error {
	t, _, _, err := c.beginUpload(ctx)
	if err != nil {
		return err
	}
	said := make(chan error, 1)
	go func() { said <- c.expect("an upload that stands still", 426) }()
	select {
	case err = <-said:
		t.Abandon()
	case <-c.soak.ending:
		c.breakData(t)
		err = <-said
	}
	return err
}

// pause pauses during a download for a while, and continues.
func (c *client) pause(ctx context.Context) error {
	name, v, ok, err := c.some(ctx)
	if err != nil || !ok {
		return err
	}
	t, err := c.begin(ctx, "RETR "+c.path(name))
	if err != nil {
		return err
	}
	seen := compare([]version{v}, 0)
	_, err = io.CopyN(seen, t, int64(v.size/2))
	if err == nil {
		c.wait(ctx, time.Duration(c.chance.Int64N(int64(time.Second))))
		_, err = io.Copy(seen, t)
	}
	if err = c.end(t, err); err != nil {
		return err
	}
	if _, err := seen.end(); err != nil {
		return fmt.Errorf("%s: %w", c.path(name), err)
	}
	c.soak.compared(int64(v.size))
	return nil
}

// unused requests a passive port and does not use it, with or without connecting to it.
func (c *client) unused(ctx context.Context) error {
	address, err := c.conn.Passive(ftpclient.EPSV)
	if err != nil {
		return err
	}
	if c.chance.IntN(2) == 0 {
		conn, err := c.tap.Dial(ctx, address)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
	}
	return c.ask("NOOP", 200)
}

// mistakes sends commands that the daemon must refuse.
func (c *client) mistakes(ctx context.Context) error {
	for _, step := range []struct {
		command string
		code    int
	}{
		{"RETR absent", 550}, {"STOR", 501}, {"REST -1", 501}, {"TYPE X", 501}, {"CWD /../../etc", 550}, {"RNTO x", 503},
	} {
		if step.command == "RETR absent" {
			if _, err := c.begin(ctx, step.command); codeOf(err) != step.code {
				return fmt.Errorf("%s: %w", step.command, err)
			}
			continue
		}
		if err := c.ask(step.command, step.code); err != nil {
			return err
		}
	}
	return nil
}
