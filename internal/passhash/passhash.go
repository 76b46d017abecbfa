package passhash

import (
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// maxBcryptCost is the largest cost of a bcrypt hash. Each step doubles the time; 14 takes about a second.
const maxBcryptCost = 14

var errForm = errors.New("not an argon2id ($argon2id$v=19$m=...,t=...,p=...$salt$hash) or bcrypt ($2b$...) hash")

// Hash returns an argon2id hash of the password with a new random salt. It uses 19 MiB of memory, two passes and one
// lane, the parameters that OWASP recommends.
func Hash(password string) (string, error) {
	h := argon2id{memory: defaultMemory, passes: defaultPasses, lanes: defaultLanes, salt: make([]byte, saltLength)}
	// Read never fails: since Go 1.24 the program ends if the system has no randomness.
	_, _ = rand.Read(h.salt)
	h.key = h.derive(password, keyLength)
	return h.String(), nil
}

// Verify reports whether the password is the one that was hashed. The error says that the hash is malformed or asks
// for too much; see Check.
func Verify(hash, password string) (bool, error) {
	if strings.HasPrefix(hash, argon2idPrefix) {
		h, err := parseArgon2id(hash)
		if err != nil {
			return false, err
		}
		return h.matches(password), nil
	}
	if err := checkBcrypt(hash); err != nil {
		return false, err
	}
	// Every bcrypt uses the first 72 bytes of a password and ignores the rest.
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil, err
}

// Check returns nil if Verify can use the hash; otherwise the error says what is wrong, without repeating the hash.
func Check(hash string) error {
	if strings.HasPrefix(hash, argon2idPrefix) {
		_, err := parseArgon2id(hash)
		return err
	}
	return checkBcrypt(hash)
}

// IsHash reports whether the text is a hash that Verify can use.
func IsHash(s string) bool { return Check(s) == nil }

// Own reports whether a hash has the form and the parameters of Hash, so that verifying a password costs no more than
// Hash does. If an untrusted party chose the hash, only such hashes should be verified.
func Own(hash string) bool {
	if !strings.HasPrefix(hash, argon2idPrefix) {
		return false
	}
	h, err := parseArgon2id(hash)
	return err == nil && h.own()
}

// bcryptForm matches the whole form of a hash; the library checks only the beginning.
var bcryptForm = regexp.MustCompile(`^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$`)

func checkBcrypt(hash string) error {
	if kind := foreignKind(hash); kind != "" {
		return unsupported(kind)
	}
	if !strings.HasPrefix(hash, "$2") {
		return errForm
	}
	form := bcryptForm.FindStringSubmatch(hash)
	if form == nil {
		return errors.New("malformed bcrypt hash: want 60 characters, $2a$, $2b$ or $2y$, two digits, $ and 53 of ./A-Za-z0-9")
	}
	cost, err := strconv.Atoi(form[1])
	if err != nil || cost < bcrypt.MinCost {
		return fmt.Errorf("malformed bcrypt hash: its cost is below %d", bcrypt.MinCost)
	}
	if cost > maxBcryptCost {
		return errTooMuch("bcrypt cost", cost, maxBcryptCost)
	}
	return nil
}
