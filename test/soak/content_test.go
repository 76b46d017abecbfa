package soak

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
)

// version is the possible content of a file: the beginning of an endless stream that the key determines. So a file
// that grows is a longer beginning of the same stream. The zero version means that there is no file.
type version struct {
	key  uint64
	size int
}

// absent is the version of a name that does not exist.
var absent version

// errWrong is the error for content that no version has.
var errWrong = errors.New("WRONG BYTES")

// from returns the content from an offset on.
func (v version) from(offset int) io.Reader {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], v.key)
	s := rand.NewChaCha8(seed)
	_, _ = io.CopyN(io.Discard, s, int64(offset)) // never fails
	return io.LimitReader(s, int64(v.size-offset))
}

// comparison finds out which of several versions is received.
type comparison struct {
	candidates []version
	streams    []io.Reader
	came       int
	buffer     []byte
}

// compare starts a comparison of received data, which starts at an offset of the file, with the versions.
func compare(versions []version, offset int) *comparison {
	c := &comparison{buffer: make([]byte, 32<<10)}
	for _, v := range versions {
		if v != absent && v.size >= offset {
			c.candidates = append(c.candidates, v)
			c.streams = append(c.streams, v.from(offset))
		}
	}
	return c
}

// Write compares the next part. It fails when no version is left.
func (c *comparison) Write(p []byte) (int, error) {
	left := 0
	for i, s := range c.streams {
		if n, _ := io.ReadFull(s, c.part(len(p))); n == len(p) && bytes.Equal(c.buffer[:n], p) {
			c.candidates[left], c.streams[left] = c.candidates[i], s
			left++
		}
	}
	c.candidates, c.streams = c.candidates[:left], c.streams[:left]
	if left == 0 {
		return 0, fmt.Errorf("%w between %d and %d", errWrong, c.came, c.came+len(p))
	}
	c.came += len(p)
	return len(p), nil
}

func (c *comparison) part(n int) []byte {
	if n > len(c.buffer) {
		c.buffer = make([]byte, n)
	}
	return c.buffer[:n]
}

// end returns the version that was received, when all data has been written.
func (c *comparison) end() (version, error) {
	for i, s := range c.streams {
		if n, _ := s.Read(c.part(1)); n == 0 {
			return c.candidates[i], nil
		}
	}
	return absent, fmt.Errorf("%w: it ends after %d", errWrong, c.came)
}

// sizeOf returns a random file size up to most, such that small and large sizes are equally frequent.
func sizeOf(chance *rand.Rand, most int) int {
	for chance.IntN(2) == 0 && most > 1 {
		most /= 4
	}
	return chance.IntN(most + 1)
}
