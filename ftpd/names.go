package ftpd

import (
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/storage"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// namesIn returns the names of a charset of the configuration.
func namesIn(c config.Charset) wire.Names { return wire.Names{Charset: c.Charmap()} }

// maxVariants bounds for how many parts of a path more than one way to read them is tried.
const maxVariants = 16

// find resolves what a client has sent for a path, as resolve does, to what is there: by the name itself, or else by
// one that is shown as this.
func find(n wire.Names, view storage.FS, cwd, arg string) (string, error) {
	name, err := wire.Resolve(cwd, n.Read(arg))
	if err != nil || view == nil || !strings.Contains(name, "%") && (n.Charset == nil || wire.Plain(name)) {
		return name, err
	}
	if _, err := view.Lstat(name); err == nil || name == "/" {
		return name, nil
	}
	found, tried := "", 0
	for part := range strings.SplitSeq(name[1:], "/") {
		best := found + "/" + part
		if others := n.Variants(part); len(others) > 0 && tried < maxVariants {
			tried++
			if _, err := view.Lstat(best); err != nil {
				for _, other := range others {
					if _, err := view.Lstat(found + "/" + other); err == nil {
						best = found + "/" + other
						break
					}
				}
			}
		}
		found = best
	}
	return found, nil
}

// speak makes the session write names so from now on, or in UTF-8.
func (s *session) speak(utf8 bool) {
	s.names = wire.Names{}
	if !utf8 {
		s.names = namesIn(s.settings().cfg.Charset)
	}
	s.out.UseNames(s.names)
}

// optsUTF8 is OPTS UTF8: ON is what clients send that know UTF-8, OFF what the few send that want the server's charset.
func (s *session) optsUTF8(options string) {
	charset := s.settings().cfg.Charset
	switch {
	case options == "" || strings.EqualFold(options, "ON"):
		s.speak(true)
		s.reply(200, "Names are in UTF-8.")
	case strings.EqualFold(options, "OFF") && namesIn(charset).Charset != nil:
		s.speak(false)
		s.reply(200, "Names are in "+string(charset)+".")
	default:
		s.reply(504, "Names are always in UTF-8.")
	}
}
