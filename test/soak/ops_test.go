package soak

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// store uploads a new file, or replaces one.
func (c *client) store(ctx context.Context) error {
	name, v := c.target(), c.fresh()
	c.maybe(name, v)
	t, err := c.begin(ctx, "STOR "+c.path(name))
	if err != nil {
		return err
	}
	return c.finish(t, name, v, 0)
}

// target returns a name to store under: mostly a new one while there are few.
func (c *client) target() string {
	if len(c.files) > 0 && c.chance.IntN(8) < len(c.files) {
		for name := range c.files {
			return name
		}
	}
	c.named++
	return fmt.Sprintf("f%d.bin", c.named)
}

// finish sends a version from an offset on, and expects the acknowledgement.
func (c *client) finish(t *ftpclient.Transfer, name string, v version, offset int) error {
	_, err := io.Copy(t, v.from(offset))
	if err = c.end(t, err); err != nil {
		return err
	}
	c.soak.acknowledged(int64(v.size - offset))
	c.know(name, v)
	return nil
}

// retrieve downloads a file, or a part of it, and compares every byte.
func (c *client) retrieve(ctx context.Context) error {
	name, v, ok, err := c.some(ctx)
	if err != nil || !ok {
		return err
	}
	offset := 0
	if c.chance.IntN(3) == 0 {
		offset = c.chance.IntN(v.size + 1)
	}
	return c.fetch(ctx, name, offset)
}

// fetch downloads a name from an offset on, and records its content.
func (c *client) fetch(ctx context.Context, name string, offset int) error {
	if offset > 0 {
		if err := c.ask("REST "+strconv.Itoa(offset), 350); err != nil {
			return err
		}
	}
	t, err := c.begin(ctx, "RETR "+c.path(name))
	if codeOf(err) == 550 && c.mayBe(name, absent) {
		c.know(name, absent)
		return nil
	}
	if err != nil {
		return err
	}
	return c.take(t, name, offset)
}

func (c *client) mayBe(name string, v version) bool {
	return slices.Contains(c.files[name], v)
}

// take receives a file from an offset on, and compares it.
func (c *client) take(t *ftpclient.Transfer, name string, offset int) error {
	seen := compare(c.files[name], offset)
	_, err := io.Copy(seen, t)
	if err = c.end(t, err); err != nil {
		return err
	}
	v, err := seen.end()
	if err != nil {
		return fmt.Errorf("%s: %w", c.path(name), err)
	}
	c.soak.compared(int64(v.size - offset))
	c.know(name, v)
	return nil
}

// grow appends to a file, by APPE or by REST and STOR.
func (c *client) grow(ctx context.Context) error {
	name, v, ok, err := c.some(ctx)
	if err != nil || !ok || c.expendable() {
		return err
	}
	t, longer, err := c.beginGrowth(ctx, name, v)
	if err != nil {
		return err
	}
	return c.finish(t, name, longer, v.size)
}

func (c *client) beginGrowth(ctx context.Context, name string, v version) (*ftpclient.Transfer, version, error) {
	longer := version{key: v.key, size: v.size + sizeOf(c.chance, maxSize/4)}
	c.maybe(name, longer)
	verb := "APPE "
	if c.chance.IntN(2) == 0 && v.size > 0 {
		verb = "STOR "
		if err := c.ask("REST "+strconv.Itoa(v.size), 350); err != nil {
			return nil, absent, err
		}
	}
	t, err := c.begin(ctx, verb+c.path(name))
	return t, longer, err
}

// list lists the directory, and compares the names.
func (c *client) list(ctx context.Context) error {
	verb := []string{"NLST", "LIST", "MLSD"}[c.chance.IntN(3)]
	t, err := c.begin(ctx, verb+" "+c.dir())
	if err != nil {
		return err
	}
	text, err := io.ReadAll(t)
	if err = c.end(t, err); err != nil {
		return err
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		name := strings.TrimRight(line, "\r\n")
		name = name[strings.LastIndexAny(name, " /")+1:]
		if verb == "MLSD" && !strings.Contains(line, "type=file;") {
			continue // the directory itself
		}
		seen[name] = true
		if _, ok := c.retired[name]; !ok && c.files[name] == nil {
			return fmt.Errorf("%s lists %q, which is not there", verb, name)
		}
	}
	for name, versions := range c.files {
		if !seen[name] && !c.mayBe(name, absent) {
			return fmt.Errorf("%s does not list %q, which is there: %v", verb, name, versions)
		}
	}
	return nil
}

// rename gives a file a new name.
func (c *client) rename(ctx context.Context) error {
	name, v, ok, err := c.some(ctx)
	if err != nil || !ok {
		return err
	}
	c.named++
	to := fmt.Sprintf("r%d.bin", c.named)
	c.maybe(name, absent)
	c.maybe(to, v)
	if err := c.ask("RNFR "+c.path(name), 350); err != nil {
		return err
	}
	if err := c.ask("RNTO "+c.path(to), 250); err != nil {
		return err
	}
	c.know(name, absent)
	c.know(to, v)
	return nil
}

// remove deletes a file.
func (c *client) remove(ctx context.Context) error {
	name, _, ok, err := c.some(ctx)
	if err != nil || !ok {
		return err
	}
	c.maybe(name, absent)
	if err := c.ask("DELE "+c.path(name), 250); err != nil {
		return err
	}
	c.know(name, absent)
	return nil
}

// directories creates a directory and removes it.
func (c *client) directories(context.Context) error {
	c.named++
	dir := fmt.Sprintf("d%d-%d", c.id, c.named) // next to the client's directory, which is listed
	for _, step := range []struct {
		command string
		code    int
	}{{"MKD " + dir, 257}, {"CWD " + dir, 250}, {"CDUP", 250}, {"RMD " + dir, 250}} {
		if err := c.ask(step.command, step.code); err != nil {
			return err
		}
	}
	return nil
}

// facts requests metadata of a file.
func (c *client) facts(ctx context.Context) error {
	name, v, ok, err := c.some(ctx)
	if err != nil || !ok {
		return err
	}
	code, text, err := c.converse("SIZE " + c.path(name))
	if err == nil && (code != 213 || text != strconv.Itoa(v.size)) {
		err = fmt.Errorf("SIZE: %d %s, not %d", code, text, v.size)
	}
	if err != nil {
		return err
	}
	when := time.Unix(1e9+c.chance.Int64N(1e8), 0).UTC().Format("20060102150405")
	if err := c.ask("MFMT "+when+" "+c.path(name), 213); err != nil {
		return err
	}
	if code, text, err = c.converse("MDTM " + c.path(name)); err == nil && (code != 213 || text != when) {
		err = fmt.Errorf("MDTM: %d %s, not %s", code, text, when)
	}
	return err
}

// hash requests the hash of a file.
func (c *client) hash(ctx context.Context) error {
	name, v, ok, err := c.some(ctx)
	if err != nil || !ok {
		return err
	}
	sum := sha256.New()
	_, _ = io.Copy(sum, v.from(0)) // never fails
	want := hex.EncodeToString(sum.Sum(nil))
	code, text, err := c.converse("XSHA256 " + c.path(name))
	if err == nil && (code != 250 || text != want) {
		err = fmt.Errorf("XSHA256: %d %s, not %s", code, text, want)
	}
	return err
}

// rest pauses for a while.
func (c *client) rest(ctx context.Context) error {
	c.wait(ctx, time.Duration(c.chance.Int64N(int64(time.Second))))
	return c.ask("NOOP", 200)
}
