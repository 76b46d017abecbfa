package ftpd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
	"github.com/ftp-operator/ftp-operator/ftpd/checksum"
	"github.com/ftp-operator/ftp-operator/ftpd/fair"
	"github.com/ftp-operator/ftp-operator/ftpd/listing"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// maxHashes is the number of files whose checksums are computed at one time; further commands wait. A checksum costs
// as much as a transfer, without a network to slow it down. Users share the places fairly, by time.
const maxHashes = 8

var hashes = fair.New(maxHashes)

// shared is a file whose reads wait for a fair share of the places.
type shared struct {
	storage.File
	ctx   context.Context
	place *fair.Place
}

func (f shared) Read(p []byte) (int, error) {
	if err := f.place.Yield(f.ctx); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

// cmdHash computes the checksum of a file, or of the part that RANG gave, with the algorithm that OPTS HASH chose
// (draft-bryan-ftpext-hash). The reply gives the first and the last octet in the form of RANG's arguments.
func (s *session) cmdHash(arg string) error {
	name, err := s.path(arg)
	if err != nil {
		return err
	}
	part := s.part
	s.part = nil
	algorithm := s.hash
	return s.sum("HASH", name, algorithm, part, func(sum string, part wire.ByteRange) transfer.Result {
		last := max(part.Start, part.End-1)
		return transfer.Result{Code: 213, Text: fmt.Sprintf("%s %d-%d %s %s", algorithm, part.Start, last, sum, name)}
	})
}

// legacyHashCommand returns the table entry of XCRC or a similar command.
func legacyHashCommand(verb string, algorithm checksum.Algorithm) *command {
	return &command{
		run: legacyHash(verb, algorithm), syntax: "<file> [start [end]]", needs: auth.Read,
		feat: feature(verb + " filename;start;end"),
	}
}

// legacyHash returns the function of XCRC or a similar command; no draft describes them. The argument is a file name,
// with or without quotes, optionally followed by the first octet and the octet before which to end.
func legacyHash(verb string, algorithm checksum.Algorithm) func(*session, string) error {
	return func(s *session, arg string) error {
		part := s.part
		s.part = nil
		file, own, err := wire.ParseSum(arg, s.fileThere)
		if err != nil {
			return refuse(501, fmt.Sprintf("Syntax: %s <file> [<start> [<end>]]", verb))
		}
		if own != nil {
			part = own
		}
		name, err := s.path(file)
		if err != nil {
			return err
		}
		return s.sum(verb, name, algorithm, part, func(sum string, _ wire.ByteRange) transfer.Result {
			if algorithm == checksum.CRC32 {
				sum = strings.ToUpper(sum)
			}
			return transfer.Result{Code: 250, Text: sum}
		})
	}
}

// fileThere reports whether a file or directory exists by the name that a client gave.
func (s *session) fileThere(file string) bool {
	name, err := listing.Find(s.names, s.login.fs, s.cwd, file)
	if err == nil {
		_, err = s.login.fs.Lstat(name)
	}
	if err == nil {
		err = listing.CheckDirectory(s.login.fs, name, file)
	}
	return err == nil
}

// sum computes the checksum of a file as work of the session (see beginWork). done makes the reply from the result.
func (s *session) sum(verb, name string, algorithm checksum.Algorithm, wanted *wire.ByteRange, done func(string, wire.ByteRange) transfer.Result) error {
	f, err := s.login.fs.Open(name)
	if err != nil {
		return refuseStorage(name, err)
	}
	failed := func(err error) transfer.Result {
		code, text := fsReply(err)
		return transfer.Result{Code: code, Text: name + ": " + text, Err: err}
	}
	user := account(s.login.Identity)
	s.beginWork(transfer.Plan{Verb: verb, Path: name, Work: func(ctx context.Context) transfer.Result {
		defer func() { _ = f.Close() }()
		place, err := hashes.Enter(ctx, user, fair.Patience)
		switch {
		case errors.Is(err, fair.ErrBusy):
			return transfer.Result{Code: 450, Text: "Too many checksums are being computed; try again later.", Err: err}
		case err != nil:
			return failed(err)
		}
		defer place.Leave()
		info, err := f.Stat()
		if err != nil {
			return failed(err)
		}
		part, ok := wanted.Within(info.Size())
		if !ok {
			return failed(storage.ErrOffset)
		}
		sum, _, err := checksum.Hash(ctx, shared{f, ctx, place}, algorithm, part.Start, part.End)
		if err != nil {
			return failed(err)
		}
		return done(sum, part)
	}})
	return nil
}

// optsHash sets the algorithm of HASH if name is not empty, and replies with the one in force.
func (s *session) optsHash(name string) error {
	if name != "" {
		algorithm, ok := checksum.Parse(name)
		if !ok {
			return refuse(501, "Unknown algorithm; FEAT lists those that are known.")
		}
		s.hash = algorithm
	}
	return s.answer(200, string(s.hash))
}

// hashFeature returns the FEAT line of HASH: all algorithms, with an asterisk after the one in force.
func hashFeature(s *session) string {
	var names []string
	for _, a := range checksum.Algorithms() {
		name := string(a)
		if a == s.hash {
			name += "*"
		}
		names = append(names, name)
	}
	return "HASH " + strings.Join(names, ";")
}

// cmdRang records which part of a file the next RETR sends, or the next HASH or legacy command (XCRC and similar)
// sums.
func (s *session) cmdRang(arg string) error {
	r, err := wire.ParseRange(arg)
	if err != nil {
		return refuse(501, "Not understood: "+err.Error()+".")
	}
	s.restart, s.part = 0, r
	if r == nil {
		return s.answer(350, "No range. Send RETR or HASH.")
	}
	return s.answer(350, "Restarting at "+strconv.FormatInt(r.Start, 10)+". Ending at "+strconv.FormatInt(r.End-1, 10)+". Send RETR or HASH.")
}
