package passhash

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxPassword is the longest password, in bytes, that is accepted. The daemon accepts command lines of 4096 bytes, but
// clients have their own limits.
const MaxPassword = 1024

// ErrEmpty is the error for an empty text.
var ErrEmpty = errors.New("is empty; put the password there")

// Configured decides what a configured text is. If hashed is true it is a hash that Verify can use, otherwise the
// password itself. An error says why it is neither, and how to correct that. The error's text continues the name of
// the place, as in "--user alice: the password " + error, and never contains the configured text.
//
// A text that looks like a hash of another kind is refused: taken as a password it would be known to everyone who can
// read the hash, and no user would type it.
func Configured(text string) (hashed bool, err error) {
	if text == "" {
		return false, ErrEmpty
	}
	if supported(text) {
		if err := Check(text); err != nil {
			return false, fmt.Errorf("begins like a hash but can't be used: %w", err)
		}
		return true, nil
	}
	if kind := foreignKind(text); kind != "" {
		return false, unsupported(kind)
	}
	if kind := listed(text); kind != "" {
		return false, fmt.Errorf("is a line of a password file, NAME:HASH (%s): take the name and the colon off", kind)
	}
	return false, CheckPassword(text)
}

// CheckPassword returns nil if an FTP client can send the text as a password; otherwise the error says why not, and
// how to correct that. Unlike Configured, it never takes the text for a hash.
func CheckPassword(text string) error {
	switch {
	case text == "":
		return ErrEmpty
	case strings.ContainsAny(text, "\r\n"):
		return errors.New("holds several lines, which no FTP client can send; put one line there")
	case strings.Contains(text, "\x00"):
		return errors.New("holds a NUL, which no FTP client can send; put plain text there, in UTF-8 (an editor may have written UTF-16)")
	case !utf8.ValidString(text):
		return errors.New("is not valid UTF-8, which is what FTP clients send; put text in UTF-8 there (of random bytes their base64 or hexadecimal form)")
	case strings.HasPrefix(text, "\ufeff"):
		return errors.New("begins with a byte order mark, which no FTP client sends; save it as UTF-8 without one")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }):
		return errors.New("holds a control character, which FTP clients can't send; put text there (of random bytes their base64 or hexadecimal form)")
	case len(text) > MaxPassword:
		return fmt.Errorf("has %d bytes, more than clients can send; shorten it to %d", len(text), MaxPassword)
	}
	return nil
}

func unsupported(kind string) error {
	return fmt.Errorf("is a hash of a kind that is not supported (%s); put the password itself there, or an argon2id or bcrypt hash of it "+
		"(`ftpd hash` makes one, also of a password that only looks like a hash)", kind)
}

// supported reports whether the text begins like a hash that Verify can use.
func supported(text string) bool {
	for _, prefix := range []string{argon2idPrefix, "$2a$", "$2b$", "$2y$"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// foreignIDs maps the identifiers of unsupported hashes in the modular crypt format to their names. The identifier is
// between $ and $ or a comma.
var foreignIDs = map[string]string{
	"1": "MD5 crypt", "2": "an old bcrypt", "2x": "a faulty bcrypt", "3": "NT hash", "5": "SHA-256 crypt", "6": "SHA-512 crypt",
	"7": "scrypt", "8": "PBKDF2", "9": "scrypt", "y": "yescrypt", "gy": "gost-yescrypt", "sm3": "SM3 crypt", "sha1": "SHA-1 crypt",
	"md5": "Sun MD5", "apr1": "Apache MD5", "P": "phpass", "H": "phpass", "S": "Drupal SHA-512", "argon2i": "argon2i",
	"argon2d": "argon2d", "argon2": "argon2", "scrypt": "scrypt", "s0": "scrypt", "s1": "scrypt", "bcrypt-sha256": "bcrypt of SHA-256",
	"pbkdf2": "PBKDF2", "pbkdf2-sha1": "PBKDF2", "pbkdf2-sha256": "PBKDF2", "pbkdf2-sha512": "PBKDF2", "md5-crypt": "MD5 crypt",
	"sha256-crypt": "SHA-256 crypt", "sha512-crypt": "SHA-512 crypt", "balloon": "balloon hash",
}

// foreignSchemes lists the schemes of LDAP (RFC 2307, RFC 3112) and Dovecot, which are between { and }, in upper
// case.
var foreignSchemes = []string{
	"SHA", "SSHA", "SHA1", "SHA224", "SHA256", "SSHA256", "SHA384", "SSHA384", "SHA512", "SSHA512", "SHA3-256", "SHA3-512", "SMD5", "MD5", "MD4",
	"CRYPT", "DES-CRYPT", "MD5-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BCRYPT", "BLF-CRYPT", "X-BCRYPT", "ARGON2", "ARGON2I", "ARGON2D",
	"ARGON2ID", "PBKDF2", "PBKDF2-SHA1", "PBKDF2-SHA256", "PBKDF2-SHA512", "PBKDF2_SHA256", "PLAIN-MD4", "PLAIN-MD5", "LDAP-MD5", "HMAC-MD5",
	"DIGEST-MD5", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "NTLM", "NT", "LM", "LANMAN", "OTP", "SKEY", "RPA", "SASL",
}

// foreignKind returns the kind of unsupported hash that the text looks like; "" if it looks like none.
func foreignKind(text string) string {
	if rest, dollar := strings.CutPrefix(text, "$"); dollar {
		if i := strings.IndexAny(rest, "$,"); i > 0 {
			if kind := foreignIDs[rest[:i]]; kind != "" {
				return kind + ", $" + rest[:i] + "$"
			}
		}
		return ""
	}
	if rest, brace := strings.CutPrefix(text, "{"); brace {
		scheme, _, closed := strings.Cut(rest, "}")
		scheme, _, _ = strings.Cut(strings.ToUpper(scheme), ".") // removes Dovecot's encoding, as in {SHA.HEX}
		for _, known := range foreignSchemes {
			if closed && scheme == known {
				return "{" + known + "}"
			}
		}
	}
	return ""
}

// listed returns the kind of hash in a line of an htpasswd or shadow file; "" if the text is no such line.
func listed(text string) string {
	name, rest, found := strings.Cut(text, ":")
	switch {
	case !found || name == "":
		return ""
	case strings.HasPrefix(rest, argon2idPrefix):
		return "argon2id"
	case supported(rest):
		return "bcrypt"
	}
	hash, _, _ := strings.Cut(rest, ":")
	return foreignKind(hash)
}
