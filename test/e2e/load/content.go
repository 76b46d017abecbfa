package load

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// content is the file of a name: the same for the same seed, name and size, and no part of it
// that of another.
func content(seed uint64, name string, size int) []byte {
	key := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), name...))
	b := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

// size of a file, chosen so that small and large ones are as frequent: 0 to most bytes.
func size(chance *rand.Rand, most int) int {
	for chance.IntN(2) == 0 && most > 1 {
		most /= 4
	}
	return chance.IntN(most + 1)
}
