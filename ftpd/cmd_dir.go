package ftpd

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
	s.reply(257, quotePath(s.cwd)+" is the current directory.")
}

func (s *session) cmdMkd(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	if err := s.fs.Mkdir(name); err != nil {
		s.refuse(name, err)
		return
	}
	s.log.Info("make directory", "path", name)
	s.reply(257, quotePath(name)+" created.")
}

func (s *session) cmdRmd(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	if err := s.fs.Rmdir(name); err != nil {
		s.refuse(name, err)
		return
	}
	s.log.Info("remove directory", "path", name)
	s.reply(250, "Directory removed.")
}
