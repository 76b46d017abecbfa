package storage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCombine(t *testing.T) {
	v, dir := newHome(t)
	big := strings.Repeat("x", combineChunk+5)
	for _, target := range []string{"", "before "} {
		must(t, upload(v, "/1", "one ", CreateOptions{}), upload(v, "/2", big, CreateOptions{}), upload(v, "/3", "", CreateOptions{}))
		if target != "" {
			must(t, upload(v, "/t", target, CreateOptions{}))
		}
		must(t, Combine(t.Context(), v, "/t", []string{"/1", "/3", "/2"}))
		if got := content(t, v, "/t"); got != target+"one "+big {
			t.Errorf("it holds %d bytes, want %d", len(got), len(target)+4+len(big))
		}
		if got := onDisk(t, dir); !slices.Equal(got, []string{"t"}) {
			t.Errorf("on disk: %q", got)
		}
		must(t, v.Remove("/t"))
	}
}

func TestCombineRefuses(t *testing.T) {
	v, dir := newHome(t)
	must(t, upload(v, "/1", "one", CreateOptions{}), upload(v, "/t", "before", CreateOptions{}), v.Mkdir("/d"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		ctx    context.Context
		target string
		parts  []string
		want   error
	}{
		{t.Context(), "/t", nil, fs.ErrInvalid},
		{t.Context(), "/t", []string{"/t"}, fs.ErrInvalid},
		{t.Context(), "/t", []string{"/1", "/1"}, fs.ErrInvalid},
		{t.Context(), "/t", []string{"/1", "/absent"}, fs.ErrNotExist},
		{t.Context(), "/t", []string{"/1", "/d"}, ErrIsDirectory},
		{t.Context(), "/d", []string{"/1"}, ErrIsDirectory},
		{t.Context(), "/x/t", []string{"/1"}, fs.ErrNotExist},
		{ended, "/t", []string{"/1"}, context.Canceled},
		{ended, "/new", []string{"/1"}, context.Canceled},
	} {
		wantErr(t, c.target+" of "+strings.Join(c.parts, " "), Combine(c.ctx, v, c.target, c.parts), c.want)
	}
	if got := onDisk(t, dir); !slices.Equal(got, []string{"1", "d", "t"}) || content(t, v, "/t") != "before" {
		t.Errorf("on disk: %q; the target holds %q", got, content(t, v, "/t"))
	}
	// A part that is a link to the target must come to an end, and nothing must be lost.
	must(t, os.Symlink("t", filepath.Join(dir, "link")), Combine(t.Context(), v, "/t", []string{"/link"}))
	if got := content(t, v, "/t"); got != "beforebefore" {
		t.Errorf("the target holds %q", got)
	}
	// A part that can't be removed must be reported, but the target must be complete.
	must(t, os.Mkdir(filepath.Join(dir, "p"), 0o700), upload(v, "/p/1", "!", CreateOptions{}))
	err := Combine(t.Context(), unremovable{v}, "/t", []string{"/p/1"})
	if !errors.Is(err, ErrPartsRemain) || !errors.Is(err, fs.ErrPermission) || content(t, v, "/t") != "beforebefore!" {
		t.Errorf("error %v; the target holds %q", err, content(t, v, "/t"))
	}
}

type unremovable struct{ FS }

func (unremovable) Remove(name string) error { return failure("remove", name, fs.ErrPermission) }
