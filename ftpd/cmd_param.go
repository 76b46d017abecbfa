package ftpd

import (
	"compress/flate"
	"strconv"
	"strings"
	"syscall"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// cmdType accepts the types of a machine with 8-bit bytes (RFC 1123 section 4.1.2.13 requires A N, I and L 8). Telnet
// format control makes no difference to files here, so A T is the same as A N (section 4.1.2.2).
func (s *session) cmdType(arg string) error {
	switch strings.ToUpper(strings.TrimSpace(arg)) {
	case "A", "A N", "A T":
		s.ascii = true
		return s.answer(200, "Type is ASCII.")
	case "I", "L 8", "L8":
		s.ascii = false
		return s.answer(200, "Type is binary.")
	default:
		return s.parameter(arg, "AEIL", "types are A, A N, A T, I and L 8")
	}
}

// cmdStru accepts F, and R as a stream of text: files have no records here, and RFC 1123 section 4.1.2.13 allows
// that.
func (s *session) cmdStru(arg string) error {
	switch strings.ToUpper(strings.TrimSpace(arg)) {
	case "F":
		s.record = false
		return s.answer(200, "Structure is file.")
	case "R":
		s.record = true
		return s.answer(200, "Structure is record, stored as a stream.")
	default:
		return s.parameter(arg, "FRP", "structures are F and R")
	}
}

func (s *session) cmdMode(arg string) error {
	switch strings.ToUpper(strings.TrimSpace(arg)) {
	case "S":
		s.coding.Deflate = false
		return s.answer(200, "Mode is stream.")
	case "Z":
		s.coding.Deflate = true
		return s.answer(200, "Mode is deflate.")
	default:
		return s.parameter(arg, "SBCZ", "modes are S and Z")
	}
}

// parameter returns the refusal of an argument: 504 if its first letter is one that RFC 959 knows, else 501.
func (s *session) parameter(arg, known, have string) error {
	if first := strings.ToUpper(strings.TrimSpace(arg)); first != "" && strings.Contains(known, first[:1]) {
		return refuse(504, "Not implemented: "+have+".")
	}
	return refuse(501, "Not understood: "+have+".")
}

// cmdAllo has the next STOR reserve space. It refuses a size that could not be stored under any name. An upload may
// bring fewer octets: the size does not mark its end (RFC 959 section 4.1.3).
func (s *session) cmdAllo(arg string) error {
	octets, record, hasRecord := strings.Cut(strings.TrimSpace(arg), " ")
	n, err := wire.ParseOffset(octets)
	if hasRecord {
		size, found := strings.CutPrefix(strings.ToUpper(record), "R ")
		if _, bad := wire.ParseOffset(size); !found || bad != nil {
			err = wire.ErrOffset
		}
	}
	if err != nil {
		return refuse(501, "Syntax: ALLO <octets> [R <octets>]")
	}
	if err := s.canHold(n); err != nil {
		s.allocate = 0
		code, text := fsReply(err)
		return refuse(code, "Can't reserve "+strconv.FormatInt(n, 10)+" octets: "+text)
	}
	s.allocate = n
	return s.answer(200, "Space is reserved when the upload begins.")
}

// canHold returns storage.ErrQuota or ENOSPC if a file of this size is larger than the user's quota or the free space
// of the disk. It does not compare the size with what is left of the quota, because the file may replace others.
func (s *session) canHold(size int64) error {
	q, err := storage.QuotaOf(s.login.fs)
	if err == nil && q.LimitBytes > 0 {
		if size > q.LimitBytes {
			return storage.ErrQuota
		}
		if size > q.LimitBytes-q.UsedBytes {
			return nil
		}
	}
	available, err := storage.Available(s.login.fs, s.cwd)
	if err == nil && size > available {
		return syscall.ENOSPC
	}
	return nil // the upload itself will find out what is not known now
}

// cmdRest records where the next transfer starts. That transfer checks whether the file is that long (RFC 3659
// section 5.3).
func (s *session) cmdRest(arg string) error {
	n, err := wire.ParseOffset(strings.TrimSpace(arg))
	if err != nil {
		return refuse(501, "Not understood: "+err.Error()+".")
	}
	s.restart, s.part = n, nil
	return s.answer(350, "Restarting at "+strconv.FormatInt(n, 10)+". Send STOR, APPE or RETR.")
}

// optsMode sets the compression level of MODE Z, as in OPTS MODE Z LEVEL 1.
func (s *session) optsMode(options string) error {
	fields := strings.Fields(strings.ToUpper(options))
	if len(fields) == 0 || fields[0] != "Z" || len(fields)%2 == 0 {
		return refuse(501, "Syntax: OPTS MODE Z [LEVEL <1-9>]")
	}
	level := s.coding.Level
	for i := 1; i < len(fields); i += 2 {
		n, err := strconv.Atoi(fields[i+1])
		switch {
		case fields[i] != "LEVEL":
			return refuse(501, "MODE Z has one option here, LEVEL.")
		case err != nil || n < flate.BestSpeed || n > flate.BestCompression:
			return refuse(501, "The level is a number from 1, fastest, to 9, smallest.")
		}
		level = n
	}
	s.coding.Level = level
	return s.answer(200, "MODE Z LEVEL set to "+strconv.Itoa(level)+".")
}

// namesIn returns the names of files in a charset of the configuration.
func namesIn(c config.Charset) wire.Names { return wire.Names{Charset: c.Charmap()} }

// speak makes the session use UTF-8 for names of files from now on, or else the configured charset.
func (s *session) speak(utf8 bool) {
	s.names = wire.Names{}
	if !utf8 {
		s.names = namesIn(s.settings().cfg.Charset)
	}
	s.out.UseNames(s.names)
}

// optsUTF8 handles OPTS UTF8. Clients that know UTF-8 send ON; the few that want the server's charset send OFF.
func (s *session) optsUTF8(options string) error {
	charset := s.settings().cfg.Charset
	switch {
	case options == "" || strings.EqualFold(options, "ON"):
		s.speak(true)
		return s.answer(200, "Names are in UTF-8.")
	case strings.EqualFold(options, "OFF") && namesIn(charset).Charset != nil:
		s.speak(false)
		return s.answer(200, "Names are in "+string(charset)+".")
	default:
		return refuse(504, "Names are always in UTF-8.")
	}
}
