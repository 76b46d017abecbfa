package auth

import (
	"errors"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A well-known bcrypt hash of "abc", and a cheap argon2id hash of "password".
const (
	hashABC      = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"
	hashPassword = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
)

var users = []config.User{
	{Name: "alice", PasswordHash: hashABC, Home: "alice", Access: config.AccessReadWrite},
	{Name: "bob", PasswordHash: hashPassword, Home: "shared/bob", Access: config.AccessUploadOnly},
	{Name: "broken", PasswordHash: "$2a$", Home: "broken", Access: config.AccessReadWrite},
}

func TestLogin(t *testing.T) {
	anon := config.Anonymous{Enabled: true, Home: "public", Access: config.AccessReadOnly}
	for _, c := range []struct {
		name, user, password string
		anon                 config.Anonymous
		want                 Identity // zero if the login is denied
	}{
		{"right", "alice", "abc", anon, Identity{Name: "alice", Home: "alice", Access: config.AccessReadWrite, Rights: All}},
		{"another kind of hash", "bob", "password", anon, Identity{Name: "bob", Home: "shared/bob", Access: config.AccessUploadOnly, Rights: Create | Mkdir}},
		{"wrong", "alice", "abd", anon, Identity{}},
		{"empty", "alice", "", anon, Identity{}},
		{"another's", "alice", "password", anon, Identity{}},
		{"case", "Alice", "abc", anon, Identity{}},
		{"unknown", "carol", "abc", anon, Identity{}},
		{"no name", "", "", anon, Identity{}},
		{"malformed hash", "broken", "abc", anon, Identity{}},
		{"anonymous", "anonymous", "me@example.org", anon, Identity{Name: "anonymous", Anonymous: true, Home: "public", Access: config.AccessReadOnly, Rights: List | Read}},
		{"ftp", "ftp", "", anon, Identity{Name: "ftp", Anonymous: true, Home: "public", Access: config.AccessReadOnly, Rights: List | Read}},
		{"no anonymous", "anonymous", "", config.Anonymous{Home: "public"}, Identity{}},
		{"no ftp", "ftp", "", config.Anonymous{Home: "public"}, Identity{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := New(users, c.anon, passhash.NewCache(10))
			for range 2 { // the second time the cache answers
				got, err := a.Login(t.Context(), c.user, c.password)
				if got != c.want {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				if denied := c.want == (Identity{}); denied != errors.Is(err, ErrDenied) || !denied && err != nil {
					t.Errorf("error: %v", err)
				}
			}
			if got, found := a.Lookup(c.user); c.want != (Identity{}) && (got != c.want || !found) {
				t.Errorf("Lookup gives %+v, %v", got, found)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	a := New(users, config.Anonymous{}, passhash.NewCache(10))
	for name, want := range map[string]bool{"alice": true, "bob": true, "carol": false, "anonymous": false, "": false} {
		if _, found := a.Lookup(name); found != want {
			t.Errorf("Lookup(%q) finds %v, want %v", name, found, want)
		}
	}
}

// For an unknown name Login computes the hash of a user, always the same one for one name. Without users it computes
// a hash of the daemon's own kind.
func TestUnknownUserCostsAHash(t *testing.T) {
	a := New(users[:2], config.Anonymous{}, passhash.NewCache(10))
	seen := map[string]bool{}
	for i := range 100 {
		name := fmt.Sprint("unknown", i)
		hash := a.hashFor(name)
		if hash != a.hashFor(name) {
			t.Fatalf("%s: another hash each time", name)
		}
		seen[hash] = true
	}
	if len(seen) != 2 || !seen[hashABC] || !seen[hashPassword] {
		t.Errorf("%d hashes were chosen, want those of both users", len(seen))
	}
	a = New(nil, config.Anonymous{}, passhash.NewCache(10))
	if hash := a.hashFor("x"); !passhash.IsHash(hash) || hash != a.hashFor("y") {
		t.Errorf("without users the hash is %q", hash)
	}
	if _, err := a.Login(t.Context(), "x", "y"); !errors.Is(err, ErrDenied) {
		t.Errorf("Login without users: %v", err)
	}
}

// A login that was denied costs nothing when it is repeated, whether or not the user exists, until the configuration
// changes. It does not affect the same password of another user.
func TestDeniedAgain(t *testing.T) {
	two := append([]config.User{{Name: "twin", PasswordHash: hashABC}}, users[:2]...) // twin has the hash of alice
	a := New(two, config.Anonymous{}, passhash.NewCache(10))
	for i, step := range []struct {
		user, password string
		remembered     int
	}{
		{"alice", "x", 1},
		{"alice", "x", 1},
		{"twin", "x", 2},
		{"unknown", "x", 3},
		{"unknown", "x", 3},
		{"alice", "y", 4},
	} {
		if _, err := a.Login(t.Context(), step.user, step.password); !errors.Is(err, ErrDenied) || a.wrong.Len() != step.remembered {
			t.Errorf("step %d: %v, %d remembered, want %d", i, err, a.wrong.Len(), step.remembered)
		}
	}
	if _, err := a.Login(t.Context(), "alice", "abc"); err != nil || a.wrong.Len() != 4 {
		t.Errorf("the right password: %v, %d remembered", err, a.wrong.Len())
	}
	if _, err := a.Login(t.Context(), "bob", "abc"); !errors.Is(err, ErrDenied) {
		t.Errorf("bob: %v", err)
	}
	changed := []config.User{{Name: "bob", PasswordHash: hashABC}}
	if _, err := New(changed, config.Anonymous{}, a.cache).Login(t.Context(), "bob", "abc"); err != nil {
		t.Errorf("a password that was wrong before it was changed: %v", err)
	}
}

// The password of one user does not let an unknown user in, and is not answered faster because it is remembered.
func TestUnknownUserWithAKnownPassword(t *testing.T) {
	a := New(users[:1], config.Anonymous{}, passhash.NewCache(10))
	for _, name := range []string{"alice", "unknown", "unknown"} {
		_, err := a.Login(t.Context(), name, "abc")
		if (err == nil) != (name == "alice") {
			t.Errorf("Login of %s: %v", name, err)
		}
	}
}

func TestRights(t *testing.T) {
	type row struct{ list, read, create, overwrite, del, rename, mkdir, add bool }
	for access, want := range map[config.Access]row{
		config.AccessReadOnly:   {list: true, read: true},
		config.AccessReadWrite:  {true, true, true, true, true, true, true, true},
		config.AccessUploadOnly: {create: true, mkdir: true},
		"":                      {},
		"Everything":            {},
	} {
		r := RightsOf(access)
		got := row{r.CanList(), r.CanRead(), r.CanCreate(), r.CanOverwrite(), r.CanDelete(), r.CanRename(), r.CanMkdir(), r.CanAppend()}
		if got != want {
			t.Errorf("%q may %+v, want %+v", access, got, want)
		}
	}
	if !Rights(0).Has(0) || Rights(0).Has(List) || List.Has(List|Read) || !All.Has(List|Mkdir) {
		t.Error("Has is wrong")
	}
}

func TestListedRights(t *testing.T) {
	for _, c := range []struct {
		list []config.Right
		want Rights
		text string
	}{
		{config.AllRights, All, "List, Read, Write, Delete, Rename, Mkdir"},
		{[]config.Right{config.RightWrite}, Create | Overwrite | Append, "Write"},
		{[]config.Right{config.RightMkdir, config.RightList, config.RightCreate}, List | Create | Mkdir, "List, Create, Mkdir"},
		{[]config.Right{config.RightAppend, config.RightRead}, Append | Read, "Read, Append"},
		{[]config.Right{"Fly"}, 0, "none"},
	} {
		if got := FromList(c.list); got != c.want || got.String() != c.text {
			t.Errorf("%v: %b %s, want %b %s", c.list, got, got, c.want, c.text)
		}
	}
	a := New([]config.User{{Name: "x", Access: config.AccessReadWrite, Rights: []config.Right{config.RightList}}},
		config.Anonymous{Enabled: true, Access: config.AccessReadOnly, Rights: []config.Right{config.RightAppend}}, passhash.NewCache(1))
	for name, want := range map[string]Rights{"x": List, "anonymous": Append} {
		id, found := a.Lookup(name)
		if !found || id.Rights != want || id.AccessText() != want.String() {
			t.Errorf("%s: %+v", name, id)
		}
	}
	if text := (Identity{Access: config.AccessReadOnly, Rights: List | Read}).AccessText(); text != "ReadOnly" {
		t.Errorf("got %s", text)
	}
}

func BenchmarkLoginAgain(b *testing.B) {
	a := New(users, config.Anonymous{}, passhash.NewCache(10))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Login(b.Context(), "alice", "abc"); err != nil {
			b.Fatal(err)
		}
	}
}
