package ftpd

import (
	"strings"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// namesIn returns the names of a charset of the configuration.
func namesIn(c config.Charset) wire.Names { return wire.Names{Charset: c.Charmap()} }

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
