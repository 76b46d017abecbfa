package crash

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// A record is what one upload adds to a file. It tells whose it is, and a reader can tell whether it is whole.
type record struct{ writer, turn int }

// headSize is the size of a record's first line, in bytes.
const headSize = 32

// size returns the size of the record, in bytes: small files, and now and then one of many blocks.
func (r record) size() int {
	chance := rand.New(rand.NewPCG(uint64(r.writer), uint64(r.turn))) //nolint:gosec // to be foreseen
	if chance.IntN(20) == 0 {
		return headSize + chance.IntN(100<<10)
	}
	return headSize + chance.IntN(3<<10)
}

func (r record) bytes() []byte {
	all := make([]byte, r.size())
	copy(all, fmt.Sprintf("%*d %*d\n", headSize/2-1, r.writer, headSize/2-1, r.turn))
	chance := rand.New(rand.NewPCG(uint64(r.turn), uint64(r.writer))) //nolint:gosec // to be foreseen
	for i := headSize; i < len(all); i++ {
		all[i] = byte(chance.Uint32())
	}
	return all
}

// parse splits a file into its records. It returns an error for one that is not whole.
func parse(content []byte) (all []record, err error) {
	for at := 0; at < len(content); {
		rest := content[at:]
		var r record
		if _, err := fmt.Sscan(string(rest[:min(len(rest), headSize)]), &r.writer, &r.turn); err != nil {
			return all, fmt.Errorf("no record at byte %d of %d: %q", at, len(content), rest[:min(len(rest), headSize)])
		}
		want := r.bytes()
		if !bytes.HasPrefix(rest, want) {
			return all, fmt.Errorf("the record %v at byte %d of %d is torn", r, at, len(content))
		}
		all = append(all, r)
		at += len(want)
	}
	return all, nil
}
