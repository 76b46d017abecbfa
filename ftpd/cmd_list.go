package ftpd

import (
	"bufio"
	"path"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/listing"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

// cmdList lists files in the format of ls -l.
func (s *session) cmdList(arg string) error {
	now, view := time.Now(), s.login.fs
	return s.listEntries("LIST", arg, false, func(t *listing.Target, w *bufio.Writer) error {
		return t.WriteLines(view, w, listing.Ls{Now: now})
	})
}

// cmdNlst lists names that RETR accepts (RFC 1123 section 4.1.2.7).
func (s *session) cmdNlst(arg string) error {
	return s.listEntries("NLST", arg, true, func(t *listing.Target, w *bufio.Writer) error {
		return t.WalkNames(func(name string) error {
			return writeEntry(w, append(append(w.AvailableBuffer(), t.Prefix...), name...))
		})
	})
}

func (s *session) listEntries(verb, arg string, namesOnly bool, write func(*listing.Target, *bufio.Writer) error) error {
	arg, itself := listing.SplitFlags(arg, s.fileThere)
	t, err := listing.Locate(s.login.fs, s.names, s.cwd, arg, itself)
	if err == nil {
		err = t.Open(s.login.fs, namesOnly)
	}
	if err != nil {
		return refuseStorage(arg, err)
	}
	s.begin(listingPlan(verb, &t, func(w *bufio.Writer) error { return write(&t, w) }))
	return nil
}

// writeEntry writes a line and its CR LF. Callers append the line to w.AvailableBuffer, which saves a copy.
func writeEntry(w *bufio.Writer, line []byte) error {
	_, err := w.Write(append(line, '\r', '\n'))
	return err
}

// cmdMlsd lists the facts of a directory's entries, for programs (RFC 3659 section 7).
func (s *session) cmdMlsd(arg string) error {
	name, self, err := s.stat(arg)
	if err != nil {
		return err
	}
	if !self.IsDir() {
		return refuse(501, name+": not a directory; use MLST.") // RFC 3659 section 7.2.1
	}
	view, f := s.login.fs, listing.NewFactWriter(s.facts, s.rights())
	t := &listing.Target{Names: s.names, Dir: name}
	if err := t.Open(view, false); err != nil {
		return refuseStorage(name, err)
	}
	s.begin(listingPlan("MLSD", t, func(w *bufio.Writer) error {
		line := func(e listing.Entry, kind string) error { return writeEntry(w, f.Append(w.AvailableBuffer(), e, kind)) }
		if f.Set&listing.FactType != 0 { // without the fact "type" a client could take these for entries
			if err := line(listing.Entry{Name: ".", Info: self}, "cdir"); err != nil {
				return err
			}
			if parent, err := view.Stat(path.Dir(name)); err == nil && name != "/" {
				if err := line(listing.Entry{Name: "..", Info: parent}, "pdir"); err != nil {
					return err
				}
			}
		}
		return t.WriteLines(view, w, &f)
	}))
	return nil
}

// cmdMlst sends the facts of one file or directory over the control connection.
func (s *session) cmdMlst(arg string) error {
	name, err := s.path(arg)
	if err != nil {
		return err
	}
	e, err := listing.LookUp(s.names, s.login.fs, name)
	if err != nil {
		return refuseStorage(name, err)
	}
	f := listing.NewFactWriter(s.facts, s.rights())
	line := f.Append(nil, e, "")
	s.out.ReplyLines(250, "Listing "+name, []string{string(line)}, "End")
	return nil
}

// listingPlan returns the plan to send lines about an opened target over the data connection. Lines always end with
// CR LF.
func listingPlan(verb string, t *listing.Target, write func(*bufio.Writer) error) transfer.Plan {
	name := t.Dir
	if name == "" {
		name = t.Single.Name
	}
	return transfer.Plan{
		Kind: transfer.Listing, Verb: verb, Path: name, Size: -1,
		Opening: "Opening data connection for the listing of " + name + ".",
		Done:    "Listing complete.",
		Content: &transfer.LinesContent{Write: write, Closed: t.Close},
	}
}

// statLines lists an opened target for STAT, which replies over the control connection.
func statLines(view storage.FS, t *listing.Target, line func(string) error) error {
	now := time.Now()
	return t.Walk(view, func(e listing.Entry) error { return line(string(listing.AppendLine(nil, e, now))) })
}

// mlstFeature returns the FEAT line of MLST: all facts, with an asterisk after those that are sent.
func mlstFeature(s *session) string { return s.facts.Feature() }
