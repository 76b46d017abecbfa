package passwords

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// Sources records from which versions of password Secrets the hashes in the config Secret come. The digests are
// kept in an annotation of the config Secret, so that an operator that starts can reuse the hashes without reading a
// password.
//
// A digest covers names, the Secret's UID and resource version, and the slow, salted hash that is stored in the same
// Secret. No digest of a password is kept: passwords could be guessed from it a million times faster. A digest proves
// nothing against an attacker who may write the config Secret; but such an attacker may write the password Secrets
// too.
type Sources map[string]bool

// digestLength is the length of one digest in the annotation: 128 bits in base64. 1,000 users take 22 KB.
const digestLength = 22

// Digest returns the digest for one user's hash.
func Digest(key Key, version Version, hash string) string {
	whole := sha256.New()
	for _, part := range []string{key.User, key.Secret, key.Key, string(version.UID), version.ResourceVersion, hash} {
		whole.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		whole.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(whole.Sum(nil)[:16])
}

// ReadSources parses the annotation.
func ReadSources(text string) Sources {
	digests := Sources{}
	for ; len(text) >= digestLength; text = text[digestLength:] {
		digests[text[:digestLength]] = true
	}
	return digests
}

// JoinSources formats the annotation.
func JoinSources(digests []string) string { return strings.Join(digests, "") }
