package passhash

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"
)

// These hashes were made by other programs: the test vector of the reference argon2 program (t=2, m=64 KiB, p=1,
// "password", "somesalt"), and the well-known bcrypt vector of "abc".
const (
	foreignArgon2id = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	foreignBcrypt   = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"
)

func TestForeignHashes(t *testing.T) {
	for _, c := range []struct{ name, hash, right string }{
		{"argon2id", foreignArgon2id, "password"},
		{"bcrypt 2a", foreignBcrypt, "abc"},
		{"bcrypt 2b", strings.Replace(foreignBcrypt, "2a", "2b", 1), "abc"},
		{"bcrypt 2y", strings.Replace(foreignBcrypt, "2a", "2y", 1), "abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Check(c.hash); err != nil {
				t.Fatalf("Check: %v", err)
			}
			for password, want := range map[string]bool{c.right: true, c.right + "x": false, "": false, strings.ToUpper(c.right): false} {
				if ok, err := Verify(c.hash, password); ok != want || err != nil {
					t.Errorf("Verify(%q) = %v, %v; want %v", password, ok, err, want)
				}
			}
		})
	}
}

func TestHash(t *testing.T) {
	one, err := Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	two, err := Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	if one == two {
		t.Error("two hashes of one password are the same: no salt")
	}
	if want := "$argon2id$v=19$m=19456,t=2,p=1$"; !strings.HasPrefix(one, want) {
		t.Errorf("hash begins %q, want %q", one, want)
	}
	for password, want := range map[string]bool{"secret": true, "Secret": false, "": false} {
		if ok, err := Verify(one, password); ok != want || err != nil {
			t.Errorf("Verify(%q) = %v, %v; want %v", password, ok, err, want)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	const salt, key = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	argon := func(costs string) string { return "$argon2id$v=19$" + costs + "$" + salt + "$" + key }
	for _, c := range []struct{ name, hash, want string }{
		{"empty", "", "not an argon2id"},
		{"plain text", "secret", "not an argon2id"},
		{"argon2i", "$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + key, "not supported (argon2i"},
		{"sha512crypt", "$6$salt$abcdefgh", "not supported (SHA-512 crypt"},
		{"too few parts", "$argon2id$v=19$m=256,t=2,p=1$" + salt, "want $argon2id$v=19"},
		{"too many parts", argon("m=256,t=2,p=1") + "$", "want $argon2id$v=19"},
		{"old version", "$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + key, "only version 19"},
		{"no version", "$argon2id$m=256,t=2,p=1$" + salt + "$" + key, "want $argon2id$v=19"},
		{"order", argon("t=2,m=256,p=1"), "want the parameter m=..."},
		{"missing p", argon("m=256,t=2"), "want the parameters"},
		{"sign", argon("m=+256,t=2,p=1"), "parameter m is not a number"},
		{"leading zero", argon("m=0256,t=2,p=1"), "parameter m is not a number"},
		{"no passes", argon("m=256,t=0,p=1"), "t must be at least 1"},
		{"no lanes", argon("m=256,t=1,p=0"), "p must be at least 1"},
		{"too little memory", argon("m=15,t=1,p=2"), "8 times p"},
		{"more than 64 MiB", argon("m=65537,t=1,p=1"), "memory (m, KiB) is 65537, above the limit of 65536"},
		{"11 passes", argon("m=256,t=11,p=1"), "passes (t) is 11, above the limit of 10"},
		{"17 lanes", argon("m=4096,t=1,p=17"), "lanes (p) is 17, above the limit of 16"},
		{"beyond 32 bits", argon("m=99999999999999999999,t=1,p=1"), "beyond any sane value"},
		{"padded salt", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ=$" + key, "salt is not base64"},
		{"short salt", "$argon2id$v=19$m=256,t=2,p=1$c29t$" + key, "salt has 3 bytes"},
		{"short hash", "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$c29tZXNhbHQ", "hash has 8 bytes"},
		{"long hash", "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("AAAA", 22), "hash has 66 bytes"},
		{"bcrypt cut short", foreignBcrypt[:59], "malformed bcrypt"},
		{"bcrypt too long", foreignBcrypt + "a", "malformed bcrypt"},
		{"bcrypt 2x", strings.Replace(foreignBcrypt, "2a", "2x", 1), "a faulty bcrypt"},
		{"bcrypt signed cost", strings.Replace(foreignBcrypt, "$06$", "$+6$", 1), "malformed bcrypt"},
		{"bcrypt cost 3", strings.Replace(foreignBcrypt, "$06$", "$03$", 1), "cost is below 4"},
		{"bcrypt cost 31", strings.Replace(foreignBcrypt, "$06$", "$31$", 1), "bcrypt cost is 31, above the limit of 14"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Check(c.hash)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("Check = %v, want %q in it", err, c.want)
			}
			if c.hash != "" && strings.Contains(err.Error(), c.hash) {
				t.Errorf("the error repeats the hash: %v", err)
			}
			if IsHash(c.hash) {
				t.Error("IsHash is true")
			}
			if ok, err := Verify(c.hash, "password"); ok || err == nil {
				t.Errorf("Verify = %v, %v; want an error", ok, err)
			}
		})
	}
}

// Every accepted hash must be written as it was read, so that it has only one text form.
func TestArgon2idRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := argon2id{
			memory: rapid.Uint32Range(8*maxLanes, maxMemory).Draw(t, "m"),
			passes: rapid.Uint32Range(1, maxPasses).Draw(t, "t"),
			lanes:  rapid.Uint8Range(1, maxLanes).Draw(t, "p"),
			salt:   rapid.SliceOfN(rapid.Byte(), minSaltBytes, maxBytes).Draw(t, "salt"),
			key:    rapid.SliceOfN(rapid.Byte(), minKeyBytes, maxBytes).Draw(t, "key"),
		}
		again, err := parseArgon2id(h.String())
		if err != nil {
			t.Fatal(err)
		}
		if again.String() != h.String() {
			t.Fatalf("%s became %s", h, again)
		}
	})
}

// Only hashes that cost the same as those of Hash must be own.
func TestOwn(t *testing.T) {
	own, err := Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	if !Own(own) {
		t.Errorf("%s is not taken for our own", own)
	}
	for _, other := range []string{
		"", "secret", foreignArgon2id, foreignBcrypt,
		strings.Replace(own, "m=19456", "m=65536", 1), strings.Replace(own, "m=19456", "m=1048576", 1), strings.Replace(own, "t=2", "t=3", 1),
		strings.Replace(own, "p=1", "p=2", 1), own + "a", own[:len(own)-4],
	} {
		if Own(other) {
			t.Errorf("%s is taken for our own", other)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(foreignArgon2id)
	f.Add(foreignBcrypt)
	f.Add("$argon2id$v=19$m=,t=,p=$$")
	f.Add("$2b$")
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.HasPrefix(text, argon2idPrefix) || !IsHash(text) {
			return
		}
		h, err := parseArgon2id(text)
		if err != nil || h.String() != text {
			t.Fatalf("%q was read as %q (%v)", text, h, err)
		}
	})
}

func TestMismatchIsNoError(t *testing.T) {
	if ok, err := Verify(foreignBcrypt, strings.Repeat("x", 100)); ok || errors.Is(err, bcrypt.ErrPasswordTooLong) {
		t.Errorf("a long wrong password gives %v, %v; want false and no error", ok, err)
	}
}

func BenchmarkVerifyArgon2id(b *testing.B) {
	hash, err := Hash("secret")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := Verify(hash, "secret"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
