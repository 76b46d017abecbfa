package quota

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// Whatever users do, with homes inside one another and uploads at the same time, the accounts must match the disk,
// and no user may exceed the limit.
func TestAgainstDisk(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		root, err := os.MkdirTemp(base, "") //nolint:usetesting // one for each of many runs
		if err != nil {
			rt.Fatal(err)
		}
		limits := map[string]Limit{
			"alice": {Bytes: rapid.Int64Range(0, 40).Draw(rt, "bytes"), Files: 12},
			"bob":   {Bytes: 20, Files: rapid.Int64Range(0, 6).Draw(rt, "files")},
		}
		local, err := storage.NewLocal(root)
		if err != nil {
			rt.Fatal(err)
		}
		local.Configure(storage.Options{NoSync: true})
		s := &server{t: t, root: root, local: local,
			Registry: New(func(home string) (storage.FS, error) { return local.Home(home, false) }, quiet)}
		s.SetLimits(limits)
		type user struct {
			storage.FS
			name, home string
		}
		var users []user
		if err := os.Mkdir(filepath.Join(root, "b"), 0o700); err != nil {
			rt.Fatal(err)
		}
		for _, u := range []user{{name: "alice", home: "."}, {name: "bob", home: "b"}, {name: "carol", home: "b"}} {
			v, err := local.Home(u.home, true)
			if err != nil {
				rt.Fatal(err)
			}
			u.FS = s.View(v, u.name, u.home)
			users = append(users, u)
		}
		if err := errors.Join(s.counted("."), s.counted("b")); err != nil {
			rt.Fatal(err)
		}
		type running struct {
			storage.Upload
			user user
		}
		var uploads []running
		defer func() {
			for _, u := range uploads {
				_ = u.Abort()
			}
			s.Close()
			for _, u := range users {
				_ = u.Close()
			}
			if err := errors.Join(local.Close(), os.RemoveAll(root)); err != nil {
				rt.Error(err)
			}
		}()
		who := rapid.SampledFrom(users)
		name := rapid.SampledFrom([]string{"/a", "/c", "/d/a", "/d/b", "/d", "/b/a", "/b/d"})
		// within checks that what a user has just added is within the user's limit. (Other users of the same home,
		// with another limit or none, may exceed it.)
		within := func(u user, what usage) {
			s.mu.Lock()
			defer s.mu.Unlock()
			a, limit := s.accounts[u.home], s.limits[u.name]
			if left := a.left(limit); what.bytes > 0 && limit.Bytes > 0 && left.bytes < 0 || what.files > 0 && limit.Files > 0 && left.files < 0 {
				rt.Fatalf("%s has exceeded %+v: used %+v, reserved %+v", u.name, limit, a.used, a.reserved)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				u := who.Draw(t, "user")
				o := storage.CreateOptions{
					Append: rapid.Bool().Draw(t, "append"),
					Offset: rapid.SampledFrom([]int64{0, 0, 1, 3}).Draw(t, "offset"),
					Expect: rapid.Int64Range(0, 10).Draw(t, "expect"),
				}
				if up, err := u.Create(name.Draw(t, "name"), o); err == nil {
					uploads = append(uploads, running{up, u})
				}
			},
			"write": func(t *rapid.T) {
				if len(uploads) == 0 {
					return
				}
				u := rapid.SampledFrom(uploads).Draw(t, "upload")
				data := make([]byte, rapid.IntRange(0, 9).Draw(t, "n"))
				before := u.Upload.(*upload).held.bytes
				if _, err := u.Writer().Write(data); err == nil && u.Upload.(*upload).held.bytes > before {
					within(u.user, usage{bytes: 1})
				}
			},
			"end": func(t *rapid.T) {
				if len(uploads) == 0 {
					return
				}
				i := rapid.IntRange(0, len(uploads)-1).Draw(t, "upload")
				u := uploads[i]
				uploads = append(uploads[:i:i], uploads[i+1:]...)
				switch rapid.SampledFrom([]string{"commit", "commit", "keep", "abort"}).Draw(t, "how") {
				case "commit":
					before := held(t, filepath.Join(root, u.user.home))
					if err := u.Commit(); err == nil && held(t, filepath.Join(root, u.user.home)).bytes > before.bytes {
						within(u.user, usage{bytes: 1})
					}
				case "keep":
					_ = u.Keep()
				case "abort":
					_ = u.Abort()
				}
			},
			"mkdir": func(t *rapid.T) {
				if u := who.Draw(t, "user"); u.Mkdir(name.Draw(t, "name")) == nil {
					within(u, usage{files: 1})
				}
			},
			"remove": func(t *rapid.T) { _ = who.Draw(t, "user").Remove(name.Draw(t, "name")) },
			"rmdir":  func(t *rapid.T) { _ = who.Draw(t, "user").Rmdir(name.Draw(t, "name")) },
			"rename": func(t *rapid.T) {
				u := who.Draw(t, "user")
				rename := u.Rename
				if rapid.Bool().Draw(t, "new") {
					rename = u.RenameNew
				}
				_ = rename(name.Draw(t, "from"), name.Draw(t, "to"))
			},
			"combine": func(t *rapid.T) {
				parts := rapid.SliceOfNDistinct(name, 1, 2, rapid.ID).Draw(t, "parts")
				_ = storage.Combine(t.Context(), who.Draw(t, "user"), name.Draw(t, "target"), parts)
			},
			"recount": func(*rapid.T) { s.Recount() },
			"": func(t *rapid.T) {
				growing := usage{}
				for _, u := range uploads {
					if u := u.Upload.(*upload); s.appends[u.at] == u {
						growing.bytes += u.written // what the upload has written is on the disk, and reserved
					}
				}
				for _, home := range []string{".", "b"} {
					s.settled(home)
					s.mu.Lock()
					a := *s.accounts[home]
					var reserved usage
					for _, u := range uploads {
						for _, in := range u.Upload.(*upload).accounts {
							if in.home == home {
								reserved = reserved.plus(u.Upload.(*upload).held)
							}
						}
					}
					for _, file := range s.readings {
						for _, in := range file.accounts {
							if in.home == home {
								reserved = reserved.plus(file.held)
							}
						}
					}
					s.mu.Unlock()
					onDisk := held(t, filepath.Join(root, home))
					if home == "." && a.used != onDisk.minus(growing) || a.reserved != reserved || a.used.files != onDisk.files {
						t.Fatalf("%s: used %+v, reserved %+v; on disk is %+v, of which %+v grows, and held is %+v",
							home, a.used, a.reserved, onDisk, growing, reserved)
					}
				}
			},
		})
	})
}
