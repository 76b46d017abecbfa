package passhash

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestConfigured(t *testing.T) {
	hash, err := Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{hash, foreignArgon2id, foreignBcrypt} {
		if hashed, err := Configured(text); !hashed || err != nil {
			t.Errorf("%q: hashed %v, %v", text, hashed, err)
		}
	}
	for _, text := range []string{
		"secret", " blanks stay ", "pass\tword", "Grüße", "密码", "👍", "$", "$5", "$5 bill", "$$$", "$money$", "$money$is$good", "$ 6$", "{}",
		"{curly}", "{sha", "{SHA", "SHA}x", "a:b", "a:$5", ":$6$x", "$2 off$", "c6f0d3f4a1b2c3d4e5f60718293a4b5c", "ab7Gd9kQ.Lx/2", "*", "!",
		strings.Repeat("ü", MaxPassword/2),
	} {
		if hashed, err := Configured(text); hashed || err != nil {
			t.Errorf("%q: hashed %v, %v; want a password", text, hashed, err)
		}
	}
	const notSupported = "of a kind that is not supported"
	for _, c := range []struct{ text, want string }{
		{"", "is empty"},
		{"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1", notSupported},
		{"$6$x", "SHA-512 crypt, $6$"},
		{"$5$rounds=5000$toolongsaltstring$Un/5jzAHMgOGZ5.mWJpuolil07guHPvOW8mGsh", "SHA-256 crypt, $5$"},
		{"$1$etNnh7FA$OlM7eljE/B7F1J4XYNnk81", "MD5 crypt, $1$"},
		{"$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "Apache MD5, $apr1$"},
		{"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7", "yescrypt, $y$"},
		{"$gy$j9T$abc$def", notSupported},
		{"$2x$10$abc", "a faulty bcrypt, $2x$"},
		{"$argon2i$v=19$m=16,t=2,p=1$c29tZXNhbHQ$abcd", "argon2i, $argon2i$"},
		{"$argon2d$v=19$m=16,t=2,p=1$c29tZXNhbHQ$abcd", notSupported},
		{"$P$B12345678abcdefghijklmnopqrstu/", notSupported},
		{"$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh", notSupported},
		{"$pbkdf2-sha256$29000$abc$def", notSupported},
		{"$md5,rounds=904$abc$def", "Sun MD5"},
		{"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn", notSupported},
		{"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "({SHA})"},
		{"{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "({SSHA})"},
		{"{ssha512}abc", "({SSHA512})"},
		{"{SHA256.HEX}abc", "({SHA256})"},
		{"{CRYPT}$6$salt$hash", "({CRYPT})"},
		{"{BLF-CRYPT}" + foreignBcrypt, "({BLF-CRYPT})"},
		{"{MD5}X03MO1qnZdYdgyfeuILPmQ==", notSupported},
		{"$argon2id$v=19$nonsense", "begins like a hash"},
		{"$argon2id$v=19$m=1048576,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "above the limit of 65536"},
		{"$2b$10$short", "begins like a hash"},
		{"$2b$15$" + strings.Repeat("a", 53), "above the limit of 14"},
		{"alice:" + foreignBcrypt, "take the name and the colon off"},
		{"alice:" + foreignArgon2id, "take the name and the colon off"},
		{"alice:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "take the name"},
		{"alice:$6$salt$hash:19000:0:99999:7:::", "take the name"},
		{"alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "take the name"},
		{"a\nb", "several lines"},
		{"a\rb", "several lines"},
		{"a\x00b", "NUL"},
		{"s\x00e\x00c\x00", "UTF-16"},
		{"caf\xe9", "not valid UTF-8"},
		{"\xff\xfe", "not valid UTF-8"},
		{"\xed\xa0\x80", "not valid UTF-8"},
		{"\ufeffsecret", "byte order mark"},
		{"a\x1b[0m", "control character"},
		{"a\x7f", "control character"},
		{"a\u0085b", "control character"},
		{strings.Repeat("x", MaxPassword+1), "shorten it to 1024"},
	} {
		hashed, err := Configured(c.text)
		if hashed || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: hashed %v, %v; want %q", c.text, hashed, err, c.want)
		} else if len(c.text) > 4 && strings.Contains(err.Error(), c.text) {
			t.Errorf("the error of %q repeats it: %v", c.text, err)
		}
	}
	if _, err := Configured(""); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
}

// A configuration's passwordHash must accept exactly what Configured takes for a hash.
func TestConfiguredAndCheckAgree(t *testing.T) {
	hashes := rapid.SampledFrom([]string{foreignArgon2id, foreignBcrypt, "$6$salt$hash", "{SSHA}abc", "secret", "$2y$12$" + strings.Repeat("a", 53)})
	rapid.Check(t, func(t *rapid.T) {
		text := hashes.Draw(t, "hash")
		if rapid.Bool().Draw(t, "spoil") {
			i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			text = text[:i] + rapid.StringN(0, 2, 4).Draw(t, "by") + text[i+1:]
		}
		hashed, err := Configured(text)
		if hashed != IsHash(text) {
			t.Fatalf("%q: Configured says %v (%v), IsHash %v", text, hashed, err, !hashed)
		}
	})
}

// Every password that is accepted must be hashable, and `ftpd hash` must accept a text that only looks like a hash.
func TestCheckPassword(t *testing.T) {
	for _, text := range []string{"$6$salt$hash", "{SHA}x", foreignBcrypt, "secret"} {
		if err := CheckPassword(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := CheckPassword(""); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
}

// The error about a configuration's passwordHash must name the kind of hash, too.
func TestCheckNamesTheKind(t *testing.T) {
	if err := Check("$6$salt$hash"); err == nil || !strings.Contains(err.Error(), "SHA-512 crypt") {
		t.Error(err)
	}
}
