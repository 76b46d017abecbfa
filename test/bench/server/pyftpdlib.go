package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// pyftpdlib runs as in its own benchmark: one process, one thread, sendfile.
func pyftpdlib(logged bool) Kind {
	return Kind{
		Name: logName("pyftpdlib", logged), Logged: logged, program: "pyftpdlib/usr/lib/python3/dist-packages/pyftpdlib", MLSD: true,
		version: func(site Site) *exec.Cmd {
			return pythonCommand(site, "-c", "import pyftpdlib; print(pyftpdlib.__ver__)")
		},
		command: func(site Site, dir string, port int) (*exec.Cmd, error) {
			both := filepath.Join(dir, "both.pem")
			var pem []byte
			for _, file := range []string{site.Key, site.Cert} {
				text, err := os.ReadFile(file)
				if err != nil {
					return nil, err
				}
				pem = append(pem, text...)
			}
			if err := os.WriteFile(both, pem, 0o600); err != nil {
				return nil, err
			}
			log := "level=logging.ERROR"
			if logged {
				log = fmt.Sprintf("level=logging.INFO, filename=%q", filepath.Join(dir, transferLog))
			}
			file, err := write(dir, "serve.py", fmt.Sprintf(`import logging, os
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

logging.basicConfig(%s)
users = DummyAuthorizer()
users.add_user(%q, %q, %q, perm="elradfmwMT")

class Handler(TLS_FTPHandler):
    authorizer = users
    certfile = %q
    timeout = 3600
    use_gmt_times = True

FTPServer.max_cons = 100000
server = FTPServer(("127.0.0.1", %d), Handler, backlog=1024)
os.setgroups([]); os.setgid(%d); os.setuid(%d)
server.serve_forever(handle_exit=False)
`, log, User, Password, site.Files, both, port, nobody, nobody))
			if err != nil {
				return nil, err
			}
			return pythonCommand(site, file), nil
		},
	}
}

func pythonCommand(site Site, args ...string) *exec.Cmd {
	cmd := exec.Command("/usr/bin/python3", append([]string{"-W", "ignore"}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(site.Peers, "pyftpdlib", "usr", "lib", "python3", "dist-packages"))
	return cmd
}
