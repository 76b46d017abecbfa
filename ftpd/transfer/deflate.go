package transfer

import (
	"compress/flate"
	"encoding/binary"
	"hash"
	"hash/adler32"
	"io"
	"sync"
	"time"
)

// Compressing takes a processor some 20 ns for each octet, so a fast network gets the octets sooner as they are, and data
// that are compressed already gain nothing on any network. Some clients ask for MODE Z wherever it is offered. So the
// daemon looks at each block that it compresses, and sends what follows in stored blocks (RFC 1951 section 3.2.4) if
// compressing was not worth it. From time to time it tries again.

// judge decides what is compressed. It does no I/O and does not look at the time.
type judge struct {
	stored int64 // octets that are still to be stored before it tries again
	span   int64 // octets that are stored next time
	taken  int64 // octets that were compressed
	sent   int64 // octets that were stored since the last try, and the time that sending them took
	took   time.Duration
}

const (
	// deflateBlock is the number of octets that are compressed before the judge looks at the result.
	deflateBlock = 256 << 10
	// firstSpan and lastSpan bound what is stored between two tries. Each time in a row doubles it.
	firstSpan, lastSpan = 4 << 20, 256 << 20
	// trusted is the number of octets at the beginning for which the rate of sending is not trusted: what the kernel
	// buffers seems to be sent at once.
	trusted = 4 << 20
	// worthwhile is the part of its size to which a block must shrink.
	worthwhile = 0.95
)

// compressed tells the judge that in octets were compressed to out octets, in the time busy, and that sending these
// took the time sending.
func (j *judge) compressed(in, out int64, busy, sending time.Duration) {
	j.taken += in
	if worth := float64(out) < worthwhile*float64(in); worth {
		asTheyAre := float64(sending) * float64(in) / float64(out)
		if j.sent > 0 { // this is known better
			asTheyAre = float64(j.took) * float64(in) / float64(j.sent)
		}
		if j.taken <= trusted || float64(busy+sending) <= asTheyAre {
			j.span = 0
			return
		}
	}
	j.span = min(max(2*j.span, firstSpan), lastSpan)
	j.stored, j.sent, j.took = j.span, 0, 0
}

// deflater writes one zlib stream (RFC 1950).
type deflater struct {
	to    meter
	flate *flate.Writer
	sum   hash.Hash32
	begun bool // the header was written
	fresh bool // flate was reset and has written nothing
	judge judge

	// What the present block has taken so far.
	in, out int64
	busy    time.Duration
	sending time.Duration
}

// meter counts what is written, and the time that takes.
type meter struct {
	io.Writer
	n    int64
	took time.Duration
}

func (m *meter) Write(p []byte) (int, error) {
	begun := time.Now()
	n, err := m.Writer.Write(p)
	m.n += int64(n)
	m.took += time.Since(begun)
	return n, err
}

// deflaters are unused *flate.Writers, by level.
var deflaters [flate.BestCompression + 1]sync.Pool

// newDeflater returns a deflater that writes to w. The caller must call release.
func newDeflater(w io.Writer, level int) *deflater {
	d := &deflater{to: meter{Writer: w}, sum: adler32.New(), fresh: true}
	z, ok := deflaters[level].Get().(*flate.Writer)
	if ok {
		z.Reset(&d.to)
	} else {
		z, _ = flate.NewWriter(&d.to, level) // no error: the level is valid
	}
	d.flate = z
	return d
}

// release gives back the compressor of that level.
func (d *deflater) release(level int) {
	d.flate.Reset(io.Discard) // the pool must not keep the connection alive
	deflaters[level].Put(d.flate)
	d.flate = nil
}

// zlibHeader says: deflate, with a window of 32 KiB, no dictionary, of no special level.
var zlibHeader = []byte{0x78, 0x9c}

func (d *deflater) begin() error {
	if d.begun {
		return nil
	}
	d.begun = true
	_, err := d.to.Write(zlibHeader)
	return err
}

func (d *deflater) Write(p []byte) (int, error) {
	if err := d.begin(); err != nil {
		return 0, err
	}
	written := 0
	for written < len(p) {
		part, write := p[written:], d.compress
		if d.judge.stored > 0 {
			part, write = part[:min(int64(len(part)), d.judge.stored)], d.store
		} else {
			part = part[:min(int64(len(part)), deflateBlock-d.in)]
		}
		if err := write(part); err != nil {
			return written, err
		}
		_, _ = d.sum.Write(part)
		written += len(part)
	}
	return written, nil
}

// compress compresses a part of a block, and at the end of the block has the judge look at it.
func (d *deflater) compress(part []byte) error {
	begun, n, took := time.Now(), d.to.n, d.to.took
	_, err := d.flate.Write(part)
	d.fresh = false
	if d.in += int64(len(part)); err == nil && d.in == deflateBlock {
		err = d.flate.Flush() // stored blocks begin at an octet
	}
	sending := d.to.took - took
	d.out, d.sending, d.busy = d.out+d.to.n-n, d.sending+sending, d.busy+time.Since(begun)-sending
	if d.in == deflateBlock {
		d.judge.compressed(d.in, d.out, d.busy, d.sending)
		d.in, d.out, d.sending, d.busy = 0, 0, 0, 0
	}
	return err
}

// mostStored is the size of the largest stored block, and storedHeader that of its header.
const mostStored, storedHeader = 1<<16 - 1, 5

// store writes stored blocks.
func (d *deflater) store(part []byte) error {
	if !d.fresh {
		// What comes later must not refer to what came before these blocks: the distances would be wrong.
		d.flate.Reset(&d.to)
		d.fresh = true
	}
	took := d.to.took
	defer func() { d.judge.took += d.to.took - took }()
	d.judge.stored -= int64(len(part))
	d.judge.sent += int64(len(part))
	buf := takeBuffer()
	defer putBuffer(buf)
	for len(part) > 0 {
		n := 0
		for len(part) > 0 && len(*buf)-n > storedHeader {
			block := part[:min(len(part), mostStored, len(*buf)-n-storedHeader)]
			part = part[len(block):]
			(*buf)[n] = 0              // not the last block, stored
			size := uint16(len(block)) //nolint:gosec // at most mostStored
			binary.LittleEndian.PutUint16((*buf)[n+1:], size)
			binary.LittleEndian.PutUint16((*buf)[n+3:], ^size)
			n += storedHeader + copy((*buf)[n+storedHeader:], block)
		}
		if _, err := d.to.Write((*buf)[:n]); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the stream.
func (d *deflater) Close() error {
	if err := d.begin(); err != nil {
		return err
	}
	if err := d.flate.Close(); err != nil {
		return err
	}
	_, err := d.to.Write(d.sum.Sum(nil))
	return err
}
