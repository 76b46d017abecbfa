package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/internal/reserved"
)

// wrongs sweeps the storage below root, as a daemon does that starts after a crash, and returns what is wrong with it,
// given what had been acknowledged.
func wrongs(root string, acknowledged []acknowledgement) []string {
	local, err := storage.NewLocal(root)
	if err == nil {
		_, err = local.Sweep(context.Background())
		err = errors.Join(err, local.Close())
	}
	if err != nil {
		return []string{err.Error()}
	}
	var all []string
	wrong := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	files := map[string][]record{}
	home := filepath.Join(root, "home")
	err = filepath.WalkDir(home, func(name string, e fs.DirEntry, err error) error {
		path := strings.TrimPrefix(name, home)
		switch {
		case err != nil || e.IsDir():
			return err
		case reserved.Path(path):
			wrong("%s was not swept", path)
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		records, err := parse(content)
		if err == nil {
			err = plausible(path, records)
		}
		if err != nil {
			wrong("%s: %v", path, err)
		}
		files[path] = records
		return nil
	})
	if err != nil && len(acknowledged) > 0 {
		wrong("%v", err)
	}
	for _, a := range acknowledged {
		if why := a.missing(files); why != "" {
			wrong("%s: turn %d of writer %d was acknowledged, but %s", a.path, a.turn, a.writer, why)
		}
	}
	return all
}

// plausible returns an error if a file is none that was uploaded under this name, acknowledged or not.
func plausible(path string, records []record) error {
	k, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "-")
	var writer, turn int
	_, err := fmt.Sscanf(rest, "%d-%d", &writer, &turn)
	for i, r := range records {
		if r.writer != writer {
			return fmt.Errorf("holds %v of another writer", r)
		}
		switch kind(k) {
		case appends:
			turn = i
		case resumes:
			if i > 0 {
				turn = r.turn
			} else {
				turn, err = 0, nil
			}
		case overwrites:
			turn = r.turn
		default:
			if err != nil {
				return errors.New("a name that was never stored")
			}
		}
		if r.turn != turn {
			return fmt.Errorf("holds %v in place %d", r, i)
		}
	}
	switch n := len(records); kind(k) {
	case appends:
		return nil
	case resumes:
		if n == 1 || n == 2 {
			return nil
		}
	default:
		if n == 1 {
			return nil
		}
	}
	return fmt.Errorf("holds %d records", len(records))
}

// missing returns why what was acknowledged is not among the files, or "" if it is.
func (a acknowledgement) missing(files map[string][]record) string {
	if _, there := files[a.from]; a.from != "" && there {
		return a.from + " is there"
	}
	records, there := files[a.path]
	if !there && a.kind == creates {
		records, there = files[a.path+"-moved"] // the rename was not acknowledged, or is another acknowledgement's
	}
	switch {
	case !there:
		return "the file is missing"
	case len(records) == 0:
		return "the file is empty"
	}
	if last := records[len(records)-1]; last.turn < a.turn {
		return fmt.Sprintf("the file is that of turn %d", last.turn)
	}
	return ""
}
