package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func options() Options {
	return Options{
		Binaries:     []Binary{{Path: "/manager", Content: []byte("m")}, {Path: "/ftpd", Content: []byte("f")}},
		Entrypoint:   []string{"/manager"},
		User:         "65532:65532",
		Architecture: "amd64",
	}
}

func TestBuildIsValidAndComplete(t *testing.T) {
	image, err := Build(options())
	if err != nil {
		t.Fatal(err)
	}
	// As it is read from the tar by whoever loads it.
	file := filepath.Join(t.TempDir(), "image.tar")
	tag := name.MustParseReference("localhost/ftp-operator:dev").(name.Tag)
	if err := tarball.WriteToFile(file, tag, image); err != nil {
		t.Fatal(err)
	}
	if image, err = tarball.ImageFromPath(file, &tag); err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || config.OS != "linux" || config.Config.Entrypoint[0] != "/manager" {
		t.Errorf("config = %+v", config)
	}
	modes := map[string]int64{}
	r := tar.NewReader(mutate.Extract(image))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		modes[h.Name] = h.Mode
	}
	for name, mode := range map[string]int64{"manager": 0o755, "ftpd": 0o755, "etc/passwd": 0o644, "tmp": 0o1777} {
		if modes[name] != mode {
			t.Errorf("mode of %s = %o, want %o; the image has %v", name, modes[name], mode, modes)
		}
	}
}

func TestBuildIsReproducible(t *testing.T) {
	a, b := options(), options()
	b.Binaries[0], b.Binaries[1] = b.Binaries[1], b.Binaries[0]
	first, err := Build(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Build(b)
	if err != nil {
		t.Fatal(err)
	}
	m1, err := first.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	m2, err := second.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m1, m2) {
		t.Errorf("the order of the binaries changed the image:\n%s\n%s", m1, m2)
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no binaries":         func(o *Options) { o.Binaries = nil },
		"a path below a path": func(o *Options) { o.Binaries[0].Path = "/usr/bin/x" },
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			change(&o)
			if _, err := Build(o); err == nil {
				t.Error("no error")
			}
		})
	}
}
