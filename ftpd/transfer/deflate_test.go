package transfer

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is compressed and whatever is stored, the result is one zlib stream of what was written.
func TestDeflaterStream(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	text := bytes.Repeat([]byte("the same line again and again\r\n"), 1<<15)
	rapid.Check(t, func(t *rapid.T) {
		var stream, want bytes.Buffer
		level := rapid.IntRange(1, 9).Draw(t, "level")
		d := newDeflater(&stream, level)
		for range rapid.IntRange(0, 8).Draw(t, "writes") {
			from := noise
			if rapid.Bool().Draw(t, "text") {
				from = text
			}
			begin := rapid.IntRange(0, len(from)-1).Draw(t, "begin")
			part := from[begin : begin+rapid.IntRange(0, min(len(from)-begin, 700<<10)).Draw(t, "size")]
			if rapid.IntRange(0, 3).Draw(t, "judged") == 0 && d.in == 0 {
				d.judge.stored = int64(rapid.IntRange(0, 300<<10).Draw(t, "stored"))
			}
			want.Write(part)
			if n, err := d.Write(part); n != len(part) || err != nil {
				t.Fatalf("wrote %d of %d: %v", n, len(part), err)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d.release(level)
		z, err := zlib.NewReader(&stream)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%d octets of %d, or others: %v", len(got), want.Len(), err)
		}
		if stream.Len() > 0 {
			t.Fatalf("%d octets follow the stream", stream.Len())
		}
	})
}

// Data that don't shrink are stored from the second block on, and data that do are compressed.
func TestDeflaterStores(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 8<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	for name, tt := range map[string]struct {
		data       []byte
		compressed int64
		least      int
		most       int
	}{
		"noise": {noise, deflateBlock * 2, len(noise), len(noise) + 2<<10},
		"text":  {bytes.Repeat([]byte("0123456789abcdef"), 2<<16), 2 << 20, 0, 100 << 10},
	} {
		var stream bytes.Buffer
		d := newDeflater(&stream, DefaultLevel)
		_, _ = d.Write(tt.data)
		_ = d.Close()
		if d.judge.taken > tt.compressed || stream.Len() < tt.least || stream.Len() > tt.most {
			t.Errorf("%s: %d octets were compressed, and %d of %d sent", name, d.judge.taken, stream.Len(), len(tt.data))
		}
		d.release(DefaultLevel)
	}
}

// The judge compresses as long as that saves time.
func TestJudge(t *testing.T) {
	t.Parallel()
	const in, ms = deflateBlock, time.Millisecond
	for name, tt := range map[string]struct {
		taken         int64
		out           int64
		busy, sending time.Duration
		stores        bool
	}{
		"a slow network":                     {trusted, in / 4, 5 * ms, 50 * ms, false},
		"a fast network":                     {trusted, in / 4, 5 * ms, ms / 10, true},
		"a fast network, at the beginning":   {0, in / 4, 5 * ms, ms / 10, false},
		"what does not shrink":               {0, in, 5 * ms, 50 * ms, true},
		"a network as fast as the processor": {trusted, in / 2, 5 * ms, 5 * ms, false},
	} {
		j := judge{taken: tt.taken}
		j.compressed(in, tt.out, tt.busy, tt.sending)
		if stores := j.stored > 0; stores != tt.stores {
			t.Errorf("%s: stores %v", name, stores)
		}
	}
	// What was stored says how long it takes better than what was compressed.
	j := judge{taken: trusted, sent: in, took: 10 * ms}
	if j.compressed(in, in/100, 5*ms, 0); j.stored > 0 {
		t.Error("stores, although that took longer")
	}
	j = judge{}
	spans := []int64{}
	for range 8 {
		j.compressed(in, in, ms, ms)
		spans = append(spans, j.stored)
	}
	if spans[0] != firstSpan || spans[1] != 2*firstSpan || spans[7] != lastSpan {
		t.Errorf("stores %d in turn", spans)
	}
	if j.compressed(in, in/9, ms, 100*ms); j.span != 0 {
		t.Error("a block that was worth it does not begin anew")
	}
}
