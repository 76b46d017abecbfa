package ftpd

func (s *session) cmdDele(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	if err := s.fs.Remove(name); err != nil {
		s.refuse(name, err)
		return
	}
	s.log.Info("delete", "path", name)
	s.reply(250, "File deleted.")
}

// cmdRnfr names what RNTO, which must be the next command, renames.
func (s *session) cmdRnfr(arg string) {
	name, ok := s.path(arg)
	if !ok {
		return
	}
	if _, err := s.fs.Stat(name); err != nil {
		s.refuse(name, err)
		return
	}
	s.renameFrom = name
	s.reply(350, "Now RNTO.")
}

func (s *session) cmdRnto(arg string) {
	from := s.renameFrom
	s.renameFrom = ""
	if from == "" {
		s.reply(503, "Send RNFR immediately before RNTO.")
		return
	}
	to, ok := s.path(arg)
	if !ok {
		return
	}
	if err := s.fs.Rename(from, to); err != nil {
		s.refuse(to, err)
		return
	}
	s.log.Info("rename", "path", from, "to", to)
	s.reply(250, "Renamed.")
}
