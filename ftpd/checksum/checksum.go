// Package checksum computes checksums of files and of parts of files, for HASH (draft-bryan-ftpext-hash) and the
// older commands XCRC, XMD5, XSHA, XSHA1, XSHA256 and XSHA512. Start reading at Hash. The package imports nothing
// else of this module.
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

// Algorithm is a checksum algorithm, identified by its name in HASH.
type Algorithm string

// The algorithms.
const (
	CRC32  Algorithm = "CRC32" // the CRC of IEEE 802.3, which zip and XCRC use
	MD5    Algorithm = "MD5"
	SHA1   Algorithm = "SHA-1"
	SHA256 Algorithm = "SHA-256"
	SHA512 Algorithm = "SHA-512"
)

// Default is the algorithm of HASH, unless OPTS HASH has chosen another one.
const Default = SHA256

var makers = map[Algorithm]func() hash.Hash{
	CRC32:  func() hash.Hash { return crc32.NewIEEE() },
	MD5:    md5.New,
	SHA1:   sha1.New,
	SHA256: sha256.New,
	SHA512: sha512.New,
}

// Algorithms returns all algorithms, the best first. FEAT lists them in this order.
func Algorithms() []Algorithm { return []Algorithm{SHA512, SHA256, SHA1, MD5, CRC32} }

// Parse returns the algorithm with this name. It ignores case and hyphens.
func Parse(name string) (Algorithm, bool) {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToUpper(s), "-", "") }
	i := slices.IndexFunc(Algorithms(), func(a Algorithm) bool { return plain(string(a)) == plain(name) })
	if i < 0 {
		return "", false
	}
	return Algorithms()[i], true
}

// ToEnd stands for the end of the file, where the end of a part is wanted.
const ToEnd = -1

var (
	// ErrRange means that a part does not lie within the file.
	ErrRange = errors.New("the range is not within the file")
	// ErrAlgorithm means that an algorithm is not one of Algorithms.
	ErrAlgorithm = errors.New("unknown checksum algorithm")
)

// File is what checksums are computed of. A storage.File is one.
type File interface {
	io.ReadSeeker
	Stat() (fs.FileInfo, error)
}

// chunk is the number of bytes that are read between two checks of the context.
const chunk = 256 << 10

// Hash computes the checksum of the bytes of f from start up to, but not including, end. ToEnd stands for the size of
// f at the start of the call. sum is in lower-case hexadecimal digits, and n is the number of bytes that it covers.
// Errors: ErrAlgorithm; ErrRange if the part is not within the file; io.ErrUnexpectedEOF if the file becomes shorter
// meanwhile; the cause of ctx if it ends; and those of f.
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
		_, _ = h.Write(buf[:got]) // never fails
		left -= int64(got)
	}
	return hex.EncodeToString(h.Sum(nil)), end - start, nil
}
