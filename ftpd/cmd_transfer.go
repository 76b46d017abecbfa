package ftpd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"

	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
)

func (s *session) cmdRetr(arg string) {
	name, ok := s.path(arg)
	if !ok || s.restartsText() {
		return
	}
	f, err := s.fs.Open(name)
	if err != nil {
		s.refuse(name, err)
		return
	}
	closeFile := func() { _ = f.Close() }
	j, err := s.download(name, f)
	if err != nil {
		closeFile()
		s.refuse(name, err)
		return
	}
	j.closed = closeFile
	s.start(j)
}

// restartsText refuses REST in TYPE A: an offset into text as the network has it can't be found
// without counting its lines.
func (s *session) restartsText() bool {
	if !s.ascii || s.restart == 0 && s.part == nil {
		return false
	}
	s.reply(554, "Text can't be restarted: send TYPE I, then REST again.")
	return true
}

// download plans the sending of f from the restart point on. What is added to the file
// meanwhile is not sent: the client was told the size.
func (s *session) download(name string, f storage.File) (job, error) {
	info, err := f.Stat()
	if err != nil {
		return job{}, err
	}
	offset, size := s.restart, info.Size()
	if s.part != nil {
		part, ok := s.part.Within(size)
		if !ok {
			return job{}, storage.ErrOffset
		}
		offset, size = part.Start, part.End
	}
	if offset > size {
		return job{}, storage.ErrOffset
	}
	if offset > 0 {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return job{}, err
		}
	}
	j := job{verb: "RETR", path: name, typ: s.typeLetter(), size: size - offset, done: "Transfer complete."}
	j.opening = fmt.Sprintf("Opening %s mode data connection for %s (%d bytes).", s.typeName(), name, j.size)
	j.move = func(t *transfer, conn net.Conn) error { return sendFile(t, conn, f, offset, size-offset) }
	switch {
	case s.ascii:
		j.size = -1
		j.opening = fmt.Sprintf("Opening ASCII mode data connection for %s.", name)
		j.move = func(t *transfer, conn net.Conn) error {
			return t.send(conn, func(w io.Writer) error { return toNetwork(w, f) })
		}
	case s.coding.deflate:
		j.size = -1
		j.move = func(t *transfer, conn net.Conn) error {
			return t.send(conn, func(w io.Writer) error { return copyPart(w, f, size-offset) })
		}
	}
	return j, nil
}

func (s *session) cmdStor(arg string) { s.store("STOR", arg, storage.CreateOptions{Offset: s.restart}) }

// cmdAppe appends; after REST it is STOR (RFC 3659 section 5.3).
func (s *session) cmdAppe(arg string) {
	s.store("APPE", arg, storage.CreateOptions{Offset: s.restart, Append: s.restart == 0})
}

func (s *session) store(verb, arg string, o storage.CreateOptions) {
	name, ok := s.filePath(arg)
	if !ok || s.restartsText() {
		return
	}
	if s.part != nil {
		s.reply(503, "RANG is not for uploads: use REST.")
		return
	}
	o.Expect = s.expected()
	if err := s.restrict(verb, name, &o); err != nil {
		s.refuse(name, err)
		return
	}
	u, err := s.fs.Create(name, o)
	if err != nil {
		s.refuse(name, err)
		return
	}
	j := s.upload(verb, name, u)
	j.opening = fmt.Sprintf("Opening %s mode data connection for %s.", s.typeName(), name)
	j.done = "Transfer complete."
	s.start(j)
}

// restrict makes of what is asked for what the user may do; fs.ErrPermission if nothing is left.
func (s *session) restrict(verb, name string, o *storage.CreateOptions) error {
	rights := s.rights()
	switch {
	case rights.CanOverwrite():
	case o.Append && rights.CanAppend():
		if _, err := s.fs.Stat(name); err != nil && !rights.CanCreate() {
			return err
		}
	case o.Append, o.Offset > 0:
		s.auditDenied(verb, name)
		return fs.ErrPermission
	default:
		o.Exclusive = true
	}
	return nil
}

// cmdStou stores under a name that is free: the argument, if it is, or one made from it.
func (s *session) cmdStou(arg string) {
	if arg == "" {
		arg = "ftp." + rand.Text()
	}
	name, ok := s.filePath(arg)
	if !ok {
		return
	}
	o := storage.CreateOptions{Exclusive: true, Expect: s.expected()}
	u, err := s.fs.Create(name, o)
	if errors.Is(err, fs.ErrExist) {
		name += "." + rand.Text()
		u, err = s.fs.Create(name, o)
	}
	if err != nil {
		s.refuse(name, err)
		return
	}
	j := s.upload("STOU", name, u)
	j.opening = "FILE: " + name // RFC 1123 section 4.1.2.9
	j.done = "Transfer complete; unique file name: " + name
	s.start(j)
}

// upload plans the storing of what comes into u.
func (s *session) upload(verb, name string, u storage.Upload) job {
	j := job{
		verb: verb, path: name, typ: s.typeLetter(), size: -1, upload: true,
		commit:  u.Commit,
		discard: func() { _ = u.Abort() },
	}
	if s.keepsPartial() {
		j.keep = u.Keep
	}
	if s.ascii {
		j.move = func(t *transfer, conn net.Conn) error {
			return t.receive(conn, func(r io.Reader) error { return fromNetwork(u.Writer(), r) })
		}
		return j
	}
	if s.coding.deflate {
		j.move = func(t *transfer, conn net.Conn) error {
			return t.receive(conn, func(r io.Reader) error { return storeAll(u.Writer(), r) })
		}
		return j
	}
	if s.allocate > 0 && s.restart == 0 && verb != "APPE" {
		j.size = s.allocate
	}
	j.move = func(t *transfer, conn net.Conn) error { return receiveFile(t, conn, u.Writer()) }
	return j
}

// expected is how many octets an upload will bring by what ALLO has announced; 0 if that can't be
// known: text comes in more octets than are stored, and where an upload goes on in a file clients
// differ in whether they announce the rest or the whole.
func (s *session) expected() int64 {
	if s.ascii || s.restart > 0 {
		return 0
	}
	return s.allocate
}

// noTransfer gives up what was agreed upon for a transfer command that was refused: a data address
// serves one such command, and the passive port is needed by others.
func (s *session) noTransfer(why observe.UnusedReservation) {
	s.refuseData(why)
	s.restart, s.part, s.allocate = 0, nil, 0
}

// typeName is the representation type as replies name it.
func (s *session) typeName() string {
	if s.ascii {
		return "ASCII"
	}
	return "BINARY"
}

// typeLetter is the representation type as TYPE takes it.
func (s *session) typeLetter() string {
	if s.ascii {
		return "A"
	}
	return "I"
}

// cmdAbor ends the running transfer: 426 for it, then 226. Without one it closes the data
// connection that may be there.
func (s *session) cmdAbor(string) {
	if s.transfer != nil {
		s.aborting = true
		s.transfer.abort(errAborted)
		return
	}
	s.noTransfer(observe.UnusedAborted)
	s.reply(226, "No transfer was running; the data connection is closed.")
}
