package ftpd

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/listing"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// cmdAvbl replies with the number of octets that can still be stored in a directory
// (draft-peterson-streamlined-ftp-command-extensions).
func (s *session) cmdAvbl(arg string) error {
	name, err := s.path(arg)
	if err != nil {
		return err
	}
	info, err := s.login.fs.Stat(name)
	if err == nil && !info.IsDir() {
		err = storage.ErrNotDirectory
	}
	if err != nil {
		return refuseStorage(name, err)
	}
	n, err := storage.Available(s.login.fs, name)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return refuse(550, name+": what is available is not known.")
	case err != nil:
		return refuseStorage(name, err)
	default:
		return s.answer(213, strconv.FormatInt(n, 10))
	}
}

// siteQuota lists the user's quota and what is used of it.
func (s *session) siteQuota(string) error {
	q, err := storage.QuotaOf(s.login.fs)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return s.answer(200, "You have no quota.")
	case err != nil:
		return refuseStorage("quota", err)
	default:
		s.out.ReplyLines(200, "Your quota:", q.Lines(), "End of quota.")
		return nil
	}
}

// cmdStat reports the state of the session and its transfer, or lists a path over the control connection (RFC 959
// section 4.1.3).
func (s *session) cmdStat(arg string) error {
	if arg == "" {
		s.out.ReplyLines(211, "Status of the FTP server:", s.statusLines(), "End of status.")
		return nil
	}
	if !s.rights().CanList() {
		return s.denied()
	}
	arg, itself := listing.SplitFlags(arg, s.fileThere)
	t, err := listing.Locate(s.login.fs, s.names, s.cwd, arg, itself)
	if err == nil {
		err = t.Open(s.login.fs, false)
	}
	if err != nil {
		return refuseStorage(arg, err)
	}
	defer t.Close()
	code := 212 // directory status
	if t.Dir == "" {
		code = 213 // file status
	}
	s.out.ReplyStream(code, "Status of "+arg+":", "End of status.", func(line func(string) error) error {
		if err := statLines(s.login.fs, &t, line); err != nil {
			return line("The listing is not complete: the directory could not be read.")
		}
		return nil
	})
	return nil
}

func (s *session) statusLines() []string {
	lines := []string{
		"Connected from " + s.origin.Peer.Addr().String(),
		"Logged in as " + s.login.Name + ", access " + s.login.AccessText(),
		"TYPE: " + s.typeName() + "; STRUcture: " + s.structureName() + "; MODE: " + s.coding.String(),
	}
	if s.transfer != nil {
		return append(lines, progress(s.transfer, time.Now()))
	}
	if s.data != nil {
		return append(lines, "Data connection: "+s.data.Describe())
	}
	return append(lines, "No data connection")
}

func (s *session) structureName() string {
	if s.record {
		return "record"
	}
	return "file"
}

// progress returns a line that says how much a transfer has moved.
func progress(t *transfer.Transfer, now time.Time) string {
	s := t.Snapshot(now)
	of := ""
	if t.Size >= 0 {
		of = fmt.Sprintf(" of %d", t.Size)
	}
	return fmt.Sprintf("%s %s: %d%s bytes in %v", t.Verb, t.Path, s.Bytes, of, s.Took.Round(time.Millisecond))
}

func (s *session) cmdSyst(string) error { return s.answer(215, "UNIX Type: L8") }
func (s *session) cmdNoop(string) error { return s.answer(200, "NOOP done.") }

// cmdHelp lists the commands, or shows the syntax of one.
func (s *session) cmdHelp(arg string) error {
	if arg = strings.TrimSpace(arg); arg != "" {
		verb := strings.ToUpper(arg)
		if c := commands[verb]; c != nil {
			return s.answer(214, c.usage(verb))
		}
		return refuse(501, "Unknown command; HELP lists those that are known.")
	}
	var lines []string
	for verbs := range slices.Chunk(slices.Sorted(maps.Keys(commands)), 8) {
		lines = append(lines, strings.Join(verbs, " "))
	}
	s.out.ReplyLines(214, "Commands:", lines, "HELP <command> shows its syntax.")
	return nil
}
