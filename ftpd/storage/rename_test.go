package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// renamers returns the two ways of RenameNew: by renameat2 and, for systems without it, by linkNew.
func renamers(v FS) map[string]func(from, to string) error {
	local := v.(*view)
	return map[string]func(from, to string) error{
		"kernel":  v.RenameNew,
		"by link": func(from, to string) error { return local.move(from, to, local.linkNew) },
	}
}

// RenameNew must move what Rename moves, and replace nothing: no file, no empty directory, and no link, even one that
// leads nowhere.
func TestRenameNew(t *testing.T) {
	for _, name := range []string{"kernel", "by link"} {
		t.Run(name, func(t *testing.T) {
			v, dir := newHome(t)
			rename := renamers(v)[name]
			must(t, v.Mkdir("/d"), v.Mkdir("/empty"), upload(v, "/d/f", "f", CreateOptions{}), upload(v, "/g", "g", CreateOptions{}),
				os.Symlink("nowhere", filepath.Join(dir, "dangling")))
			for _, taken := range []string{"/g", "/empty", "/dangling", "/d/f"} {
				wantErr(t, "a file to "+taken, rename("/d/f", taken), fs.ErrExist)
			}
			for _, taken := range []string{"/g", "/empty", "/dangling"} {
				wantErr(t, "a directory to "+taken, rename("/d", taken), fs.ErrExist)
			}
			wantErr(t, "nothing", rename("/none", "/x"), fs.ErrNotExist)
			wantErr(t, "into nothing", rename("/g", "/none/x"), fs.ErrNotExist)
			if err := rename("/d", "/d/e"); Classify(err) != KindInvalid {
				t.Errorf("a directory into itself: %v", err)
			}
			must(t, rename("/d/f", "/empty/f"), rename("/empty", "/d/full"), rename("/dangling", "/d/dangling"))
			if got := content(t, v, "/d/full/f"); got != "f" {
				t.Errorf("the file holds %q", got)
			}
			if got := content(t, v, "/g"); got != "g" {
				t.Errorf("the other file holds %q", got)
			}
			if link, err := os.Readlink(filepath.Join(dir, "d/dangling")); err != nil || link != "nowhere" {
				t.Errorf("the link is %q, %v", link, err)
			}
		})
	}
}

// Of many concurrent renames to the same new name one must succeed, and the others must leave their files alone.
func TestRenameNewRace(t *testing.T) {
	const rivals = 8
	for _, name := range []string{"kernel", "by link"} {
		t.Run(name, func(t *testing.T) {
			v, _ := newHome(t)
			rename := renamers(v)[name]
			for round := range 50 {
				target := fmt.Sprintf("/target%d", round)
				var wg sync.WaitGroup
				errs := make([]error, rivals)
				for i := range rivals {
					must(t, upload(v, fmt.Sprintf("/%d", i), fmt.Sprint(i), CreateOptions{}))
				}
				for i := range rivals {
					wg.Go(func() { errs[i] = rename(fmt.Sprintf("/%d", i), target) })
				}
				wg.Wait()
				winner := -1
				for i, err := range errs {
					switch {
					case err == nil && winner >= 0:
						t.Fatalf("%d and %d both won", winner, i)
					case err == nil:
						winner = i
					case !errors.Is(err, fs.ErrExist):
						t.Fatal(err)
					default:
						if got := content(t, v, fmt.Sprintf("/%d", i)); got != fmt.Sprint(i) {
							t.Fatalf("the loser's file holds %q", got)
						}
					}
				}
				if winner < 0 || content(t, v, target) != fmt.Sprint(winner) {
					t.Fatalf("the winner is %d", winner)
				}
			}
		})
	}
}
