package quota

import (
	"context"
	"io/fs"
	"os"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// combining is the view that storage.CombineBy uses.
type combining struct {
	*view
	upload *upload
	locked map[string]string // paths of the parts in the view, without links, by their names
}

// part is a file that COMB appends to its target.
type part struct {
	at   string // path below the storage root, without links
	info fs.FileInfo
}

// Combine combines files; see storage.Combine. It removes the parts afterwards, so the target may use their bytes,
// unless another operation has claimed them. The parts stay locked from the publication of the target until they are
// removed: a change in between could make both stay.
func (v *view) Combine(ctx context.Context, target string, parts []string) error {
	c := &combining{view: v, locked: map[string]string{}}
	create := func(name string, o storage.CreateOptions) (storage.Upload, error) {
		u, err := v.create(name, o, parts)
		if err != nil {
			return nil, err
		}
		for i, p := range u.parts {
			c.locked[parts[i]], _ = v.rel(p.at)
		}
		c.upload = u
		return u, nil
	}
	defer c.end()
	return storage.CombineBy(ctx, c, create, target, parts)
}

// Remove removes a part, which has been locked since the target was published.
func (c *combining) Remove(name string) error {
	return c.removeLocked(c.locked[name], c.FS.Remove)
}

// end gives up the claims on parts that still exist, and unlocks them.
func (c *combining) end() {
	if c.upload == nil {
		return
	}
	c.upload.release()
	if c.upload.unlock != nil {
		c.upload.unlock()
	}
}

// describe records the parts, and returns the bytes that each will free. That is 0 for a part that is not a regular
// file: of a link only the link itself is removed. The caller holds the locks of the paths.
func (u *upload) describe(paths []string) (sizes []int64) {
	for _, at := range paths {
		name, _ := u.v.rel(at)
		info, now := u.v.there(name)
		if info == nil || !info.Mode().IsRegular() {
			now.bytes = 0
		}
		u.parts, sizes = append(u.parts, part{at, info}), append(sizes, now.bytes)
	}
	return sizes
}

// changed reports whether a part has changed since describe. The caller holds the locks of all parts.
func (u *upload) changed() bool {
	for _, p := range u.parts {
		name, _ := u.v.rel(p.at)
		info, _ := u.v.there(name)
		if p.info == nil || info == nil || !os.SameFile(p.info, info) || info.Size() != p.info.Size() || !info.ModTime().Equal(p.info.ModTime()) {
			return true
		}
	}
	return false
}

// paths returns the paths of the parts.
func (u *upload) paths() (all []string) {
	for _, p := range u.parts {
		all = append(all, p.at)
	}
	return all
}
