// Package keyed recognizes secrets that it has seen before without storing them. It stores digests made with a key
// that never leaves the process. It imports nothing of this module. Begin reading at Set.
package keyed

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// Key makes digests. The zero value is not usable: use NewKey.
type Key struct{ key [sha256.Size]byte }

// Digest identifies the parts that it was made of. Without the key it reveals nothing about them.
type Digest [sha256.Size]byte

// NewKey returns a new random key.
func NewKey() *Key {
	k := &Key{}
	_, _ = rand.Read(k.key[:]) // never fails
	return k
}

// Digest returns the digest of the parts. It depends on their order, and on where each of them ends.
func (k *Key) Digest(parts ...string) Digest {
	mac := hmac.New(sha256.New, k.key[:])
	for _, part := range parts {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		mac.Write([]byte(part))
	}
	return Digest(mac.Sum(nil))
}
