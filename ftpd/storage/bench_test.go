package storage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func BenchmarkUpload1KiB(b *testing.B) {
	v, _ := newHome(b)
	data := make([]byte, 1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		u, err := v.Create(fmt.Sprintf("/f%d", i), CreateOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := u.Writer().Write(data); err != nil {
			b.Fatal(err)
		}
		must(b, u.Commit())
	}
}

func BenchmarkOpen(b *testing.B) {
	v, _ := newHome(b)
	must(b, v.Mkdir("/d"), upload(v, "/d/f", "x", CreateOptions{}))
	b.ReportAllocs()
	for b.Loop() {
		f, err := v.Open("/d/f")
		if err != nil {
			b.Fatal(err)
		}
		must(b, f.Close())
	}
}

func BenchmarkStat(b *testing.B) {
	v, _ := newHome(b)
	must(b, v.Mkdir("/d"), upload(v, "/d/f", "x", CreateOptions{}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Stat("/d/f"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadDir2000(b *testing.B) {
	v, dir := newHome(b)
	for i := range 2000 {
		must(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%04d.txt", i)), nil, 0o600))
	}
	b.ReportAllocs()
	for b.Loop() {
		d, err := v.ReadDir("/")
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for {
			if _, err := d.Next(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
			n++
		}
		must(b, d.Close())
		if n != 2000 {
			b.Fatalf("%d entries", n)
		}
	}
}
