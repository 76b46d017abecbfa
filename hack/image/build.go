package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Binary is an executable file of the image.
type Binary struct {
	// Path is absolute, as in /ftpd.
	Path    string
	Content []byte
}

// Options say what is in the image.
type Options struct {
	Binaries     []Binary
	Entrypoint   []string
	User         string
	Architecture string
}

// passwd names the two users that can occur, for programs that look their own up.
const passwd = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"

// Build returns an image of one layer: the binaries (mode 0755), /etc/passwd and a /tmp that all
// may write to. There is no shell and no library.
func Build(o Options) (v1.Image, error) {
	if len(o.Binaries) == 0 {
		return nil, errors.New("an image needs at least one --binary")
	}
	content, err := layer(o.Binaries)
	if err != nil {
		return nil, err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	})
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	image, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		return nil, fmt.Errorf("append the layer: %w", err)
	}
	return mutate.ConfigFile(image, withConfig(image, o))
}

func withConfig(image v1.Image, o Options) *v1.ConfigFile {
	file, err := image.ConfigFile()
	if err != nil {
		// The image was made in memory a moment ago; it has a config.
		panic(err)
	}
	file = file.DeepCopy()
	file.OS = "linux"
	file.Architecture = o.Architecture
	file.Config.Entrypoint = o.Entrypoint
	file.Config.User = o.User
	file.Config.WorkingDir = "/"
	file.Config.Env = []string{"PATH=/"}
	return file
}

// layer writes the layer's tar, in a fixed order and with no times.
func layer(binaries []Binary) ([]byte, error) {
	sorted := slices.Clone(binaries)
	slices.SortFunc(sorted, func(a, b Binary) int { return strings.Compare(a.Path, b.Path) })

	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	add := func(h tar.Header, content []byte) error {
		h.Format = tar.FormatUSTAR
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			return fmt.Errorf("layer entry %s: %w", h.Name, err)
		}
		_, err := w.Write(content)
		return err
	}
	err := errors.Join(
		add(tar.Header{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755}, nil),
		add(tar.Header{Name: "etc/passwd", Typeflag: tar.TypeReg, Mode: 0o644}, []byte(passwd)),
		add(tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, nil),
	)
	for _, b := range sorted {
		name := strings.TrimPrefix(path.Clean(b.Path), "/")
		if strings.Contains(name, "/") {
			err = errors.Join(err, fmt.Errorf("binary %s: give a path at the root of the image", b.Path))
			continue
		}
		err = errors.Join(err, add(tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755}, b.Content))
	}
	return buffer.Bytes(), errors.Join(err, w.Close())
}
