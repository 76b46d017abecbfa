// Package keyed recognizes secrets that were seen before without holding them: what it keeps are
// digests under a key that never leaves the process.
package keyed

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// Key makes digests. The zero value is no key: use NewKey.
type Key struct{ key [sha256.Size]byte }

// Digest stands for what it was made of, to whoever has the key.
type Digest [sha256.Size]byte

// NewKey returns a key of its own, from the system's source of randomness.
func NewKey() *Key {
	k := &Key{}
	_, _ = rand.Read(k.key[:]) // never fails
	return k
}

// Digest covers the parts, in this order, and where each of them ends.
func (k *Key) Digest(parts ...string) Digest {
	mac := hmac.New(sha256.New, k.key[:])
	for _, part := range parts {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		mac.Write([]byte(part))
	}
	return Digest(mac.Sum(nil))
}
