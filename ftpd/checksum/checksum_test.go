package checksum

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func file(t testing.TB, content string) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// The published checksums of "abc", of the check value of CRCs, and of the empty text.
func TestKnownSums(t *testing.T) {
	for _, c := range []struct {
		a             Algorithm
		content, want string
	}{
		{CRC32, "123456789", "cbf43926"},
		{CRC32, "", "00000000"},
		{MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
		{SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{SHA512, "abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	} {
		got, n, err := Hash(t.Context(), file(t, c.content), c.a, 0, ToEnd)
		if got != c.want || n != int64(len(c.content)) || err != nil {
			t.Errorf("%s of %q is %s of %d bytes (%v), want %s", c.a, c.content, got, n, err, c.want)
		}
	}
}

func TestRanges(t *testing.T) {
	f := file(t, "xxabcxx")
	for _, c := range []struct {
		start, end int64
		want       string
		err        error
	}{
		{2, 5, "900150983cd24fb0d6963f7d28e17f72", nil},
		{7, 7, "d41d8cd98f00b204e9800998ecf8427e", nil},
		{7, ToEnd, "d41d8cd98f00b204e9800998ecf8427e", nil},
		{0, 0, "d41d8cd98f00b204e9800998ecf8427e", nil},
		{8, ToEnd, "", ErrRange}, {0, 8, "", ErrRange}, {3, 2, "", ErrRange}, {-1, 2, "", ErrRange}, {0, -2, "", ErrRange},
		{math.MaxInt64, math.MaxInt64, "", ErrRange}, {0, math.MaxInt64, "", ErrRange},
	} {
		got, n, err := Hash(t.Context(), f, MD5, c.start, c.end)
		if got != c.want || !errors.Is(err, c.err) || err == nil && c.end != ToEnd && n != c.end-c.start {
			t.Errorf("%d to %d: %q of %d bytes (%v), want %q, %v", c.start, c.end, got, n, err, c.want, c.err)
		}
	}
	if _, _, err := Hash(t.Context(), f, "SHA-3", 0, ToEnd); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("an unknown algorithm: %v", err)
	}
}

// The checksum of a part is that of a file with just that part, wherever chunks begin and end.
func TestParts(t *testing.T) {
	content := strings.Repeat("0123456789abcdef!", 2*chunk/17+5)
	whole := file(t, content)
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.OneOf(rapid.IntRange(0, len(content)), rapid.SampledFrom([]int{0, chunk - 1, chunk, chunk + 1, 2 * chunk, len(content)}))
		start, end := at.Draw(rt, "start"), at.Draw(rt, "end")
		if start > end {
			start, end = end, start
		}
		a := rapid.SampledFrom(Algorithms()).Draw(rt, "algorithm")
		got, _, err := Hash(t.Context(), whole, a, int64(start), int64(end))
		if err != nil {
			rt.Fatal(err)
		}
		h := makers[a]()
		_, _ = io.WriteString(h, content[start:end])
		if want := string(h.Sum(nil)); got != hexOf(want) {
			rt.Fatalf("%s of %d to %d is %s, want %s", a, start, end, got, hexOf(want))
		}
	})
}

func hexOf(raw string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range []byte(raw) {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// interrupted calls a function at its second read.
type interrupted struct {
	*os.File
	reads int
	do    func()
}

func (f *interrupted) Read(p []byte) (int, error) {
	if f.reads++; f.reads == 2 {
		f.do()
	}
	return f.File.Read(p)
}

func TestInterrupted(t *testing.T) {
	f := file(t, strings.Repeat("x", 3*chunk))
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	g := &interrupted{File: f, do: func() { cancel(stop) }}
	if _, _, err := Hash(ctx, g, SHA256, 0, ToEnd); !errors.Is(err, stop) || g.reads != 2 {
		t.Errorf("stopped: %v after %d reads", err, g.reads)
	}
	g = &interrupted{File: f, do: func() {
		if err := os.Truncate(f.Name(), chunk+1); err != nil {
			t.Error(err)
		}
	}}
	if _, _, err := Hash(t.Context(), g, SHA256, 0, ToEnd); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("shrunk: %v", err)
	}
}

func TestParse(t *testing.T) {
	for name, want := range map[string]Algorithm{
		"SHA-256": SHA256, "sha256": SHA256, "Sha-1": SHA1, "SHA1": SHA1, "md5": MD5, "CRC32": CRC32, "crc-32": CRC32, "SHA512": SHA512,
		"": "", "SHA": "", "SHA-384": "", " MD5": "",
	} {
		if got, ok := Parse(name); got != want || ok != (want != "") {
			t.Errorf("Parse(%q) = %q, %v", name, got, ok)
		}
	}
	for _, a := range Algorithms() {
		if got, ok := Parse(string(a)); got != a || !ok || makers[a] == nil {
			t.Errorf("Parse(%q) = %q, %v", a, got, ok)
		}
	}
}

func BenchmarkSHA256(b *testing.B) {
	f := file(b, strings.Repeat("x", 8<<20))
	b.SetBytes(8 << 20)
	for b.Loop() {
		if _, _, err := Hash(b.Context(), f, SHA256, 0, ToEnd); err != nil {
			b.Fatal(err)
		}
	}
}
