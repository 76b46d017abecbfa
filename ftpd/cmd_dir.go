package ftpd

import "github.com/ftp-operator/ftp-operator/ftpd/wire"

func (s *session) cmdCwd(arg string) {
	if name, ok := s.path(arg); ok {
		s.changeDir(name)
	}
}

func (s *session) cmdCdup(string) {
	name, _ := s.path("..")
	s.changeDir(name)
}

func (s *session) changeDir(name string) {
	info, err := s.fs.Stat(name)
	switch {
	case err != nil:
		s.refuse(name, err)
	case !info.IsDir():
		s.reply(550, name+": not a directory.")
	default:
		s.cwd = name
		s.reply(250, "Directory changed to "+name)
	}
}

func (s *session) cmdPwd(string) {
	s.reply(257, wire.QuotePath(s.cwd)+" is the current directory.")
}

func (s *session) cmdMkd(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	if s.changed("mkdir", name, 257, s.fs.Mkdir(name)) {
		s.reply(257, wire.QuotePath(name)+" created.")
	}
}

func (s *session) cmdRmd(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	if s.changed("rmdir", name, 250, s.fs.Rmdir(name)) {
		s.reply(250, "Directory removed.")
	}
}
