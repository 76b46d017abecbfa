package ftpd

import (
	"bufio"
	"io"
	"net"
	"path"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

// cmdList lists as ls -l does.
func (s *session) cmdList(arg string) {
	now := time.Now()
	s.listNames("LIST", arg, func(_ target, e entry) string { return lsLine(e, now) })
}

// cmdNlst lists names that RETR takes (RFC 1123 section 4.1.2.7).
func (s *session) cmdNlst(arg string) {
	s.listNames("NLST", arg, func(t target, e entry) string { return t.prefix + e.name })
}

func (s *session) listNames(verb, arg string, format func(target, entry) string) {
	arg, itself := splitFlags(arg)
	t, err := locate(s.fs, s.cwd, arg, itself)
	if err != nil {
		s.refuse(arg, err)
		return
	}
	view := s.fs
	s.start(listing(verb, t, func(line func(string) error) error {
		return t.walk(view, func(e entry) error { return line(format(t, e)) })
	}))
}

// cmdMlsd lists a directory's facts for programs (RFC 3659 section 7).
func (s *session) cmdMlsd(arg string) {
	name, self, ok := s.stat(arg)
	if !ok {
		return
	}
	if !self.IsDir() {
		s.reply(501, name+": not a directory; use MLST.") // section 7.2.1
		return
	}
	view, facts, rights := s.fs, s.facts, s.rights()
	t := target{dir: name}
	s.start(listing("MLSD", t, func(line func(string) error) error {
		if facts&factType != 0 { // without it, these could be taken for entries
			if err := line(factLine(facts, entry{".", self}, "cdir", rights)); err != nil {
				return err
			}
			if parent, err := view.Stat(path.Dir(name)); err == nil && name != "/" {
				if err := line(factLine(facts, entry{"..", parent}, "pdir", rights)); err != nil {
					return err
				}
			}
		}
		return t.walk(view, func(e entry) error { return line(factLine(facts, e, "", rights)) })
	}))
}

// cmdMlst gives the facts of one file or directory over the control connection.
func (s *session) cmdMlst(arg string) {
	name, info, ok := s.stat(arg)
	if !ok {
		return
	}
	line := factLine(s.facts, entry{name, info}, "", s.rights())
	s.out.multi(250, "Listing "+name, []string{line}, "End")
}

// listing is a job that sends lines, which always end with CR LF.
func listing(verb string, t target, produce func(line func(string) error) error) job {
	name := t.dir
	if name == "" {
		name = t.single.name
	}
	return job{
		verb: verb, path: name, size: -1, quiet: true,
		opening: "Opening data connection for the listing of " + name + ".",
		done:    "Listing complete.",
		move: func(tr *transfer, conn net.Conn) error {
			return tr.send(conn, func(to io.Writer) error {
				w := bufio.NewWriterSize(to, 32<<10)
				if err := produce(func(l string) error {
					_, err := w.WriteString(l + "\r\n")
					return err
				}); err != nil {
					return err
				}
				return w.Flush()
			})
		},
	}
}

// statLines lists a target for STAT, over the control connection.
func statLines(view storage.FS, t target, line func(string) error) error {
	now := time.Now()
	return t.walk(view, func(e entry) error { return line(lsLine(e, now)) })
}
