// Package checksum computes checksums of files and parts of files, for HASH
// (draft-bryan-ftpext-hash) and the older XCRC, XMD5, XSHA, XSHA1, XSHA256 and XSHA512.
package checksum

import (
	"context"
	"crypto/md5"  //nolint:gosec // clients ask for it, to find errors and not attackers
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Algorithm is a way to compute a checksum, by the name that HASH gives it.
type Algorithm string

// The algorithms.
const (
	CRC32  Algorithm = "CRC32" // that of IEEE 802.3, as zip and XCRC use it
	MD5    Algorithm = "MD5"
	SHA1   Algorithm = "SHA-1"
	SHA256 Algorithm = "SHA-256"
	SHA512 Algorithm = "SHA-512"
)

// Default is what HASH computes if OPTS HASH chose nothing else.
const Default = SHA256

var makers = map[Algorithm]func() hash.Hash{
	CRC32:  func() hash.Hash { return crc32.NewIEEE() },
	MD5:    md5.New,
	SHA1:   sha1.New,
	SHA256: sha256.New,
	SHA512: sha512.New,
}

// Algorithms returns all algorithms, the best first, as FEAT lists them.
func Algorithms() []Algorithm { return []Algorithm{SHA512, SHA256, SHA1, MD5, CRC32} }

// Parse finds an algorithm by its name; case does not matter, nor does a hyphen.
func Parse(name string) (Algorithm, bool) {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToUpper(s), "-", "") }
	i := slices.IndexFunc(Algorithms(), func(a Algorithm) bool { return plain(string(a)) == plain(name) })
	if i < 0 {
		return "", false
	}
	return Algorithms()[i], true
}

// ToEnd as an end is the end of the file.
const ToEnd = -1

var (
	// ErrRange is a part that does not lie in the file.
	ErrRange = errors.New("the range is not within the file")
	// ErrAlgorithm is an algorithm that is not one of Algorithms.
	ErrAlgorithm = errors.New("unknown checksum algorithm")
)

// File is what can be summed; storage.File is one.
type File interface {
	io.ReadSeeker
	Stat() (fs.FileInfo, error)
}

// chunk is how much is read between two looks at the context.
const chunk = 256 << 10

// Hash computes the checksum of the bytes of f from start to end, which is not included; ToEnd is
// all there are when it begins. sum is in lower-case hexadecimal digits, and n is how many bytes
// it is of. A part that is not within the file is ErrRange; a file that becomes shorter meanwhile
// is io.ErrUnexpectedEOF; and when ctx ends, its cause.
func Hash(ctx context.Context, f File, a Algorithm, start, end int64) (sum string, n int64, err error) {
	maker := makers[a]
	if maker == nil {
		return "", 0, ErrAlgorithm
	}
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	if end == ToEnd {
		end = info.Size()
	}
	if start < 0 || end < start || end > info.Size() {
		return "", 0, ErrRange
	}
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return "", 0, err
	}
	h := maker()
	buf := make([]byte, min(chunk, end-start))
	for left := end - start; left > 0; {
		if err := context.Cause(ctx); err != nil {
			return "", 0, err
		}
		got, err := io.ReadFull(f, buf[:min(chunk, left)])
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", 0, err
		}
		_, _ = h.Write(buf[:got]) // a hash never fails
		left -= int64(got)
	}
	return hex.EncodeToString(h.Sum(nil)), end - start, nil
}
