package transfer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestASCII(t *testing.T) {
	t.Parallel()
	tests := []struct{ disk, wire, back string }{
		{"", "", ""},
		{"a\nb\n", "a\r\nb\r\n", "a\nb\n"},
		{"a\r\nb", "a\r\nb", "a\nb"},
		{"\n\n", "\r\n\r\n", "\n\n"},
		{"a\rb\r", "a\rb\r", "a\rb\r"},
		{"\r\r\n", "\r\r\n", "\r\n"},
	}
	for _, tt := range tests {
		for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
			var wire, back bytes.Buffer
			if err := toNetwork(&wire, wrap(strings.NewReader(tt.disk))); err != nil || wire.String() != tt.wire {
				t.Errorf("toNetwork(%q) = %q, %v; want %q", tt.disk, wire.String(), err, tt.wire)
			}
			if err := fromNetwork(&back, wrap(strings.NewReader(tt.wire))); err != nil || back.String() != tt.back {
				t.Errorf("fromNetwork(%q) = %q, %v; want %q", tt.wire, back.String(), err, tt.back)
			}
		}
	}
}

// A text without CR must survive the conversion in both directions, whatever its size and however it is split into
// reads.
func TestASCIIRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SliceOf(rapid.SampledFrom([]byte("a\n\x00\xff"))).Draw(t, "unit")
		text := bytes.Repeat(unit, rapid.IntRange(0, 20000).Draw(t, "times"))
		var wire, back bytes.Buffer
		if err := toNetwork(&wire, bytes.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if err := fromNetwork(&back, iotest.HalfReader(&wire)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(back.Bytes(), text) {
			t.Fatalf("%d bytes came back as %d", len(text), back.Len())
		}
	})
}

func TestASCIIErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, convert := range map[string]func(io.Writer, io.Reader) error{"toNetwork": toNetwork, "fromNetwork": fromNetwork} {
		var out bytes.Buffer
		src := io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken))
		if err := convert(&out, src); !errors.Is(err, broken) || out.String() != "ab" {
			t.Errorf("%s: %v after %q", name, err, out.String())
		}
		_, w := io.Pipe()
		_ = w.CloseWithError(broken)
		if err := convert(w, strings.NewReader("ab")); err == nil {
			t.Errorf("%s ignored a failed write", name)
		}
	}
}
