package load

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// content returns the content of a file. It is determined by seed, name and size, and no part of it equals a part of
// another file.
func content(seed uint64, name string, size int) []byte {
	key := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), name...))
	b := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

// size returns a random file size from 0 to most bytes, such that small and large sizes are equally frequent.
func size(chance *rand.Rand, most int) int {
	for chance.IntN(2) == 0 && most > 1 {
		most /= 4
	}
	return chance.IntN(most + 1)
}
