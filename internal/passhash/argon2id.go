package passhash

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const argon2idPrefix = "$argon2id$"

// These are the parameters of Hash. The memory is in KiB.
const (
	defaultMemory = 19456
	defaultPasses = 2
	defaultLanes  = 1
	saltLength    = 16
	keyLength     = 32
)

// These are the largest and smallest parameters of a hash that was made elsewhere: large enough for the defaults of
// common tools, and small enough for a daemon in a pod with 128Mi. Larger ones would let one login take the memory of
// a pod, or seconds.
const (
	maxMemory    = 1 << 16 // KiB: 64 MiB
	maxPasses    = 10
	maxLanes     = 16
	minSaltBytes = 8
	minKeyBytes  = 16
	maxBytes     = 64
)

// argon2id is a hash and everything that it was made from, except the password.
type argon2id struct {
	memory, passes uint32 // memory in KiB
	lanes          uint8
	salt, key      []byte
}

func (h argon2id) derive(password string, length uint32) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, length)
}

func (h argon2id) matches(password string) bool {
	key := h.derive(password, uint32(len(h.key))) //nolint:gosec // at most maxBytes
	return subtle.ConstantTimeCompare(key, h.key) == 1
}

// own reports whether the hash has the parameters of Hash.
func (h argon2id) own() bool {
	return h.memory == defaultMemory && h.passes == defaultPasses && h.lanes == defaultLanes &&
		len(h.salt) == saltLength && len(h.key) == keyLength
}

// String returns the PHC text form.
func (h argon2id) String() string {
	return fmt.Sprintf("%sv=%d$m=%d,t=%d,p=%d$%s$%s", argon2idPrefix, argon2.Version, h.memory, h.passes, h.lanes,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

// parseArgon2id parses the PHC text form: $argon2id$v=19$m=19456,t=2,p=1$salt$hash. Salt and hash are in base64
// without padding.
func parseArgon2id(text string) (argon2id, error) {
	var h argon2id
	parts := strings.Split(strings.TrimPrefix(text, argon2idPrefix), "$")
	if len(parts) != 4 {
		return h, malformed("want $argon2id$v=19$m=...,t=...,p=...$salt$hash")
	}
	if version, err := parseParameter(parts[0], "v"); err != nil {
		return h, err
	} else if version != argon2.Version {
		return h, malformed("only version 19 (v=19) is known")
	}
	costs := strings.Split(parts[1], ",")
	if len(costs) != 3 {
		return h, malformed("want the parameters m=...,t=...,p=...")
	}
	var values [3]uint64
	for i, bound := range [...]struct {
		name, what string
		max        uint64
	}{{"m", "argon2id memory (m, KiB)", maxMemory}, {"t", "argon2id passes (t)", maxPasses}, {"p", "argon2id lanes (p)", maxLanes}} {
		n, err := parseParameter(costs[i], bound.name)
		if err != nil {
			return h, err
		}
		if n < 1 {
			return h, malformed(bound.name + " must be at least 1")
		}
		if n > bound.max {
			return h, errTooMuch(bound.what, n, bound.max)
		}
		values[i] = n
	}
	h.memory, h.passes, h.lanes = uint32(values[0]), uint32(values[1]), uint8(values[2]) //nolint:gosec // bounded above
	if h.memory < 8*uint32(h.lanes) {
		return h, malformed("m must be at least 8 times p")
	}
	var err error
	if h.salt, err = parseBytes(parts[2], "salt", minSaltBytes); err != nil {
		return h, err
	}
	h.key, err = parseBytes(parts[3], "hash", minKeyBytes)
	return h, err
}

// parseParameter parses "name=123". The number is decimal, without sign and leading zeros.
func parseParameter(text, name string) (uint64, error) {
	key, value, found := strings.Cut(text, "=")
	if !found || key != name {
		return 0, malformed("want the parameter " + name + "=...")
	}
	n, err := strconv.ParseUint(value, 10, 32)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("argon2id parameter %s is beyond any sane value: hash the password again (`ftpd hash` does)", name)
	}
	if err != nil || value != strconv.FormatUint(n, 10) {
		return 0, malformed("parameter " + name + " is not a number")
	}
	return n, nil
}

func parseBytes(text, what string, least int) ([]byte, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // the decoder would skip these
		return nil, malformed(what + " is not base64 without padding")
	}
	if len(b) < least || len(b) > maxBytes {
		return nil, malformed(fmt.Sprintf("%s has %d bytes, want %d to %d", what, len(b), least, maxBytes))
	}
	return b, nil
}

func malformed(what string) error { return errors.New("malformed argon2id hash: " + what) }

func errTooMuch[N int | uint64](what string, n, most N) error {
	return fmt.Errorf("%s is %d, above the limit of %d: hash the password again with less (as `ftpd hash` does)", what, n, most)
}
