// Command image builds a container image of static binaries without a container engine.
//
// It writes one tar that `ctr images import`, `docker load` and `kind load image-archive` take.
// The same binaries always give the same bytes: no time, user name or order enters it.
//
//	go run ./hack/image --out ftp-operator.tar --ref localhost/ftp-operator:dev \
//	    --binary /manager=bin/manager --binary /ftpd=bin/ftpd --entrypoint /manager
//
// It prints, one a line, the names that the image has in the tar: the given one, and the same with
// a tag that is made from the content (dev-0123456789ab), so that a Deployment that names the
// latter rolls exactly when the image changed.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/spf13/pflag"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run() error {
	var (
		options Options
		out     string
		ref     string
		files   []string
	)
	pflag.StringVar(&out, "out", "", "tar file to write")
	pflag.StringVar(&ref, "ref", "", "name of the image, as in localhost/ftp-operator:dev")
	pflag.StringArrayVar(&files, "binary", nil, "PATH-IN-IMAGE=FILE; may repeat")
	pflag.StringSliceVar(&options.Entrypoint, "entrypoint", nil, "what the image runs")
	pflag.StringVar(&options.User, "user", "65532:65532", "user and group that it runs as")
	pflag.StringVar(&options.Architecture, "arch", runtime.GOARCH, "architecture of the binaries")
	pflag.Parse()

	tag, err := name.NewTag(ref, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("--ref %q: %w", ref, err)
	}
	for _, f := range files {
		inImage, file, ok := strings.Cut(f, "=")
		if !ok || !strings.HasPrefix(inImage, "/") {
			return fmt.Errorf("--binary %q: write /PATH-IN-IMAGE=FILE", f)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("--binary %q: %w", f, err)
		}
		options.Binaries = append(options.Binaries, Binary{Path: inImage, Content: content})
	}
	image, err := Build(options)
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return fmt.Errorf("digest of the image: %w", err)
	}
	unique := tag.Context().Tag(tag.TagStr() + "-" + digest.Hex[:12])
	// Written whole or not at all: a tar that was cut short would be loaded by the next run.
	part := out + ".part"
	if err := tarball.MultiWriteToFile(part, map[name.Tag]v1.Image{tag: image, unique: image}); err != nil {
		return fmt.Errorf("write %s: %w", part, err)
	}
	if err := os.Rename(part, out); err != nil {
		return err
	}
	fmt.Println(tag.Name())
	fmt.Println(unique.Name())
	return nil
}
