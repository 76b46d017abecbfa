package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
)

// Combiner is an FS that can put files together by means of its own.
type Combiner interface {
	// Combine is as the function.
	Combine(ctx context.Context, target string, parts []string) error
}

// Combine adds the parts, in their order, to the end of the target, which may be absent, and
// removes them (COMB). The target has all of them or none, also after a crash; the parts are
// removed only when it has. They must be regular files, each named once, and none the target:
// fs.ErrInvalid otherwise. If not all could be removed the error says so (errors.Is
// ErrPartsRemain), and calling it again would add them twice.
func Combine(ctx context.Context, v FS, target string, parts []string) error {
	if c, ok := v.(Combiner); ok {
		return c.Combine(ctx, target, parts)
	}
	return CombineBy(ctx, v, v.Create, target, parts)
}

// ErrPartsRemain says that the files were combined, and some that it was made of could not be removed.
var ErrPartsRemain = errors.New("the parts are combined, but not all of them could be removed")

// CombineBy is Combine by means of Open, Remove and create, for those who wrap an FS.
func CombineBy(ctx context.Context, v FS, create func(string, CreateOptions) (Upload, error), target string, parts []string) error {
	for i, part := range parts {
		if part == target || slices.Contains(parts[:i], part) {
			return failure("combine", part, fs.ErrInvalid)
		}
	}
	if len(parts) == 0 {
		return failure("combine", target, fs.ErrInvalid)
	}
	u, err := create(target, CreateOptions{Append: true})
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := addPart(ctx, v, u.Writer(), part); err != nil {
			return errors.Join(err, u.Abort())
		}
	}
	if err := u.Commit(); err != nil {
		return err
	}
	var errs []error
	for _, part := range parts {
		if err := v.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if errs != nil {
		return errors.Join(append(errs, ErrPartsRemain)...)
	}
	return nil
}

// combineChunk is how much is copied between two looks at the context.
const combineChunk = 8 << 20

// addPart copies a part as long as it is now; so one that leads back to the target ends as well.
func addPart(ctx context.Context, v FS, w io.Writer, part string) error {
	f, err := v.Open(part)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	if err != nil {
		return failure("combine", part, err)
	}
	for left := info.Size(); left > 0; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := io.CopyN(w, f, min(left, combineChunk))
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return failure("combine", part, err)
		}
		left -= n
	}
	return nil
}
