package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
)

// CombineFS is an FS that has its own way to combine files.
type CombineFS interface {
	// Combine does the same as the function Combine.
	Combine(ctx context.Context, target string, parts []string) error
}

// Combine appends the parts, in their order, to the target, and then removes the parts (COMB). The target is created
// if it does not exist. It gets all parts or none, even after a crash, and the parts are removed only if it has them.
// Parts must be regular files, each given once, and none may be the target; otherwise the error is fs.ErrInvalid. If
// not all parts could be removed the error is ErrPartsRemain (errors.Is); a second call would append those parts
// again.
func Combine(ctx context.Context, v FS, target string, parts []string) error {
	if c, ok := v.(CombineFS); ok {
		return c.Combine(ctx, target, parts)
	}
	return CombineBy(ctx, v, v.Create, target, parts)
}

// ErrPartsRemain says that the files were combined, but some of the parts could not be removed.
var ErrPartsRemain = errors.New("the parts are combined, but not all of them could be removed")

// CombineBy is like Combine, and uses create, v.Open and v.Remove. It is for an FS that wraps another one.
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

// combineChunk is the number of bytes copied between two checks of the context.
const combineChunk = 8 << 20

// addPart appends a part up to its present size, so that a part which is a link to the target comes to an end.
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
