package config

import (
	"maps"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// PasswordHashes must read what Marshal writes as a parser would.
func TestPasswordHashes(t *testing.T) {
	name := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._@-]{0,63}`), rapid.SampledFrom([]string{"1", "1e3", "0x1f", "true", "no", "null", "name", "2026-10-01", "1_000", "0o7", ".inf"}))
	hash := rapid.OneOf(rapid.StringMatching(`\$argon2id\$v=19\$m=[1-9][0-9]{2,4},t=[1-9],p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}`), rapid.StringMatching(`\$2[aby]\$1[0-4]\$[./A-Za-z0-9]{53}`))
	rapid.Check(t, func(t *rapid.T) {
		c := &Config{APIVersion: APIVersion, Hosts: []string{"users:"}, Anonymous: Anonymous{Enabled: true, Home: "- name: x"}}
		want := map[string]string{}
		for _, n := range rapid.SliceOfNDistinct(name, 0, 8, rapid.ID).Draw(t, "names") {
			u := User{Name: n, PasswordHash: hash.Draw(t, "hash"), Home: rapid.SampledFrom([]string{".", "a b", "name: b", "- passwordHash: x"}).Draw(t, "home"), Access: AccessReadWrite}
			if rapid.Bool().Draw(t, "rights") {
				u.Rights = []Right{"list", "read"}
				u.Quota = Quota{Files: 7}
			}
			c.Users = append(c.Users, u)
			want[n] = u.PasswordHash
		}
		file, err := c.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if got := PasswordHashes(file); !maps.Equal(got, want) {
			t.Fatalf("read %q of\n%s", got, file)
		}
	})
}

// A file that was made to be costly must cost no more than a few times its length.
func TestPasswordHashesOfAnything(t *testing.T) {
	const size = 1 << 20
	for _, file := range []string{
		strings.Repeat("[],", size/3), strings.Repeat("[", size), strings.Repeat("a: &a [*a]\n", size/11), strings.Repeat("- \n", size/3),
		"users:\n" + strings.Repeat("- name: a\n  passwordHash: b\n", size/28), "users:\n" + strings.Repeat("- [[],[],[]]\n", size/13),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := PasswordHashes([]byte(file))
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 3*size || len(got) > 1 {
			t.Errorf("%.40q...: %d bytes, %d users", file, spent, len(got))
		}
	}
}

func FuzzPasswordHashes(f *testing.F) {
	f.Add([]byte("users:\n- name: a\n  passwordHash: b\n"))
	f.Add([]byte("users:\n  - name: \"\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for name, hash := range PasswordHashes(file) {
			if name == "" || hash == "" || strings.Contains(name+hash, "\n") {
				t.Fatalf("read %q: %q", name, hash)
			}
		}
	})
}
