package crash

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// acknowledgement is what a writer tells when one of its changes was acknowledged: the file at path is that of its
// turn. from, if not empty, is the name that the file no longer has.
type acknowledgement struct {
	kind         kind
	path, from   string
	writer, turn int
}

// kind is what a writer does.
type kind string

const (
	overwrites kind = "overwrites" // one file, with one record, again and again
	creates    kind = "creates"    // new files, exclusively, and renames every other of them
	appends    kind = "appends"    // to one file
	makesDirs  kind = "makesDirs"  // a directory for each of its files
	resumes    kind = "resumes"    // one file: keeps its first record, and stores another after that
)

var kinds = []kind{overwrites, creates, appends, makesDirs, resumes}

func (a acknowledgement) String() string {
	return fmt.Sprintf("%s %s %q %d %d\n", a.kind, a.path, a.from, a.writer, a.turn)
}

func parseAcknowledgement(line string) (a acknowledgement, err error) {
	_, err = fmt.Sscanf(line, "%s %s %q %d %d\n", &a.kind, &a.path, &a.from, &a.writer, &a.turn)
	return a, err
}

// plan is what a load does.
type plan struct {
	options string // for mounting the file system
	writers int    // that store at the same time
	noSync  bool
}

// load stores files in a home below root until in ends, and writes each acknowledgement to out.
func (p plan) load(root string, in io.Reader, out io.Writer) error {
	local, err := storage.NewLocal(root)
	if err != nil {
		return err
	}
	local.Configure(storage.Options{NoSync: p.noSync})
	home, err := local.Home("home", true)
	if err != nil {
		return err
	}
	var over atomic.Bool
	go func() {
		_, _ = bufio.NewReader(in).ReadByte()
		over.Store(true)
	}()
	failures := make([]error, p.writers)
	var all sync.WaitGroup
	var mu sync.Mutex
	for w := range p.writers {
		all.Go(func() {
			acknowledge := func(a acknowledgement) error {
				mu.Lock()
				defer mu.Unlock()
				_, err := io.WriteString(out, a.String())
				return err
			}
			for turn := 0; !over.Load() && failures[w] == nil; turn++ {
				failures[w] = take(home, kinds[w%len(kinds)], w, turn, acknowledge)
			}
		})
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil
}

// take is one turn of a writer.
func take(home storage.FS, k kind, writer, turn int, acknowledge func(acknowledgement) error) error {
	a := acknowledgement{kind: k, path: fmt.Sprintf("/%s-%d", k, writer), writer: writer, turn: turn}
	var o storage.CreateOptions
	switch k {
	case creates:
		a.path += fmt.Sprintf("-%d", turn)
		o.Exclusive = true
	case makesDirs:
		a.path += fmt.Sprintf("-%d", turn)
		if err := home.Mkdir(a.path); err != nil {
			return err
		}
		a.path += "/file"
	case appends:
		o.Append = true
	case resumes:
		if turn > 0 {
			o.Offset = int64(record{writer, 0}.size())
		}
	}
	if err := store(home, a.path, record{writer, turn}.bytes(), o); err != nil {
		return err
	}
	if err := acknowledge(a); err != nil {
		return err
	}
	if k != creates || turn%2 == 0 {
		return nil
	}
	a.from, a.path = a.path, a.path+"-moved"
	if err := home.Rename(a.from, a.path); err != nil {
		return err
	}
	return acknowledge(a)
}

func store(home storage.FS, name string, content []byte, o storage.CreateOptions) error {
	u, err := home.Create(name, o)
	if err != nil {
		return err
	}
	if _, err := u.Writer().Write(content); err != nil {
		return errors.Join(err, u.Abort())
	}
	return u.Commit()
}

// The environment of a process that makes the load: the directory, and the plan.
const (
	loadEnv    = "CRASH_TEST_LOAD"
	writersEnv = "CRASH_TEST_WRITERS"
	noSyncEnv  = "CRASH_TEST_NO_SYNC"
)

func (p plan) environ(root string) []string {
	return append(os.Environ(), loadEnv+"="+root, writersEnv+"="+strconv.Itoa(p.writers), noSyncEnv+"="+strconv.FormatBool(p.noSync))
}

// runLoad is that process.
func runLoad(root string) int {
	writers, err := strconv.Atoi(os.Getenv(writersEnv))
	if err == nil {
		err = plan{writers: writers, noSync: os.Getenv(noSyncEnv) == "true"}.load(root, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
