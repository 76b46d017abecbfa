package ftpd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/ftp-operator/ftp-operator/ftpd/observe"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
)

func (s *session) cmdRetr(arg string) error {
	name, err := s.path(arg)
	if err == nil {
		err = s.restartsText()
	}
	if err != nil {
		return err
	}
	f, err := s.login.fs.Open(name)
	if err != nil {
		return refuseStorage(name, err)
	}
	p, err := s.planDownload(name, f)
	if err != nil {
		_ = f.Close()
		return refuseStorage(name, err)
	}
	s.begin(p)
	return nil
}

// restartsText returns the refusal of a restart in TYPE A: finding an offset into text as the network has it would
// mean counting its lines.
func (s *session) restartsText() error {
	if !s.ascii || s.restart == 0 && s.part == nil {
		return nil
	}
	return refuse(554, "Text can't be restarted: send TYPE I, then REST again.")
}

// planDownload returns the plan to send f from the restart point to its present end. Data that is appended meanwhile
// is not sent, because the reply announces the size.
func (s *session) planDownload(name string, f storage.File) (transfer.Plan, error) {
	info, err := f.Stat()
	if err != nil {
		return transfer.Plan{}, err
	}
	offset, end := s.restart, info.Size()
	if s.part != nil {
		part, ok := s.part.Within(end)
		if !ok {
			return transfer.Plan{}, storage.ErrOffset
		}
		offset, end = part.Start, part.End
	}
	if offset > end {
		return transfer.Plan{}, storage.ErrOffset
	}
	if offset > 0 {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return transfer.Plan{}, err
		}
	}
	p := transfer.Plan{
		Kind: transfer.Download, Verb: "RETR", Path: name, Type: s.typeLetter(), Size: end - offset,
		Content: &transfer.FileContent{File: f, Offset: offset, Size: end - offset, Text: s.ascii},
		Done:    "Transfer complete.",
	}
	if s.ascii {
		p.Opening = fmt.Sprintf("Opening ASCII mode data connection for %s.", name)
	} else {
		p.Opening = fmt.Sprintf("Opening %s mode data connection for %s (%d bytes).", s.typeName(), name, p.Size)
	}
	if s.ascii || s.coding.Deflate {
		p.Size = -1
	}
	return p, nil
}

func (s *session) cmdStor(arg string) error {
	return s.store("STOR", arg, storage.CreateOptions{Offset: s.restart})
}

// cmdAppe appends to a file. After REST it works like STOR (RFC 3659 section 5.3).
func (s *session) cmdAppe(arg string) error {
	return s.store("APPE", arg, storage.CreateOptions{Offset: s.restart, Append: s.restart == 0})
}

func (s *session) store(verb, arg string, o storage.CreateOptions) error {
	name, err := s.filePath(arg)
	if err == nil {
		err = s.restartsText()
	}
	if err != nil {
		return err
	}
	if s.part != nil {
		return refuse(503, "RANG is not for uploads: use REST.")
	}
	o.Expect = s.expected()
	if err := s.restrict(verb, name, &o); err != nil {
		return refuseStorage(name, err)
	}
	u, err := s.login.fs.Create(name, o)
	if err != nil {
		return refuseStorage(name, err)
	}
	p := s.planUpload(verb, name, u)
	p.Opening = fmt.Sprintf("Opening %s mode data connection for %s.", s.typeName(), name)
	p.Done = "Transfer complete."
	s.begin(p)
	return nil
}

// restrict changes the options to what the user's rights allow. It returns fs.ErrPermission if they allow nothing.
func (s *session) restrict(verb, name string, o *storage.CreateOptions) error {
	rights := s.rights()
	switch {
	case rights.CanOverwrite():
	case o.Append && rights.CanAppend():
		if _, err := s.login.fs.Stat(name); err != nil && !rights.CanCreate() {
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

// cmdStou stores a file under an unused name: the argument if it is unused, else a name made from it.
func (s *session) cmdStou(arg string) error {
	if arg == "" {
		arg = "ftp." + rand.Text()
	}
	name, err := s.filePath(arg)
	if err != nil {
		return err
	}
	o := storage.CreateOptions{Exclusive: true, Expect: s.expected()}
	u, err := s.login.fs.Create(name, o)
	if errors.Is(err, fs.ErrExist) {
		name += "." + rand.Text()
		u, err = s.login.fs.Create(name, o)
	}
	if err != nil {
		return refuseStorage(name, err)
	}
	p := s.planUpload("STOU", name, u)
	p.Opening = "FILE: " + name // RFC 1123 section 4.1.2.9
	p.Done = "Transfer complete; unique file name: " + name
	s.begin(p)
	return nil
}

// planUpload returns the plan to store what the client sends in u.
func (s *session) planUpload(verb, name string, u storage.Upload) transfer.Plan {
	p := transfer.Plan{
		Kind: transfer.Upload, Verb: verb, Path: name, Type: s.typeLetter(), Size: -1,
		Content: &transfer.UploadContent{Upload: u, Text: s.ascii, Keeps: s.keepsPartial()},
	}
	if !s.ascii && !s.coding.Deflate && s.allocate > 0 && s.restart == 0 && verb != "APPE" {
		p.Size = s.allocate
	}
	return p
}

// expected returns the number of octets that ALLO announced for an upload; 0 if the number is not known. It is not
// known for text, which arrives as more octets than are stored, and after REST, where some clients announce the rest
// and others the whole file.
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
func (s *session) cmdAbor(string) error {
	if s.transfer != nil {
		s.aborting = true
		s.transfer.Abort(transfer.ErrAborted)
		return nil
	}
	s.noTransfer(observe.UnusedAborted)
	return s.answer(226, "No transfer was running; the data connection is closed.")
}
