package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func pureFTPd(logged bool) Kind {
	return Kind{
		Name: logName("Pure-FTPd", logged), Logged: logged, program: "pure-ftpd/usr/sbin/pure-ftpd", MLSD: true,
		version: func(site Site) *exec.Cmd { return pureCommand(site, "sbin/pure-ftpd", "--help") },
		command: func(site Site, dir string, port int) (*exec.Cmd, error) {
			users, db := filepath.Join(dir, "users"), filepath.Join(dir, "users.pdb")
			crypted, err := quickHash(Password)
			if err != nil {
				return nil, err
			}
			line := fmt.Sprintf("%s:%s:%d:%d::%s/./::::::::::::\n", User, crypted, nobody, nobody, site.Files)
			if err := os.WriteFile(users, []byte(line), 0o600); err != nil {
				return nil, err
			}
			if out, err := pureCommand(site, "bin/pure-pw", "mkdb", db, "-f", users).CombinedOutput(); err != nil {
				return nil, fmt.Errorf("pure-pw: %w: %s", err, out)
			}
			cert, err := os.ReadFile(site.Cert)
			if err != nil {
				return nil, err
			}
			key, err := os.ReadFile(site.Key)
			if err != nil {
				return nil, err
			}
			pem := filepath.Join(dir, "both.pem")
			if err := os.WriteFile(pem, append(cert, key...), 0o600); err != nil {
				return nil, err
			}
			var log []string
			if logged {
				log = []string{"-O", "clf:" + filepath.Join(dir, transferLog)}
			}
			return pureCommand(site, "sbin/pure-ftpd", append(log,
				"-S", "127.0.0.1,"+portText(port), "-4",
				"-l", "puredb:"+db, "-E", "-A", "-u", "1",
				"-H", // no reverse DNS
				"-f", "none", "-g", filepath.Join(dir, "pid"),
				"-c", "100000", "-C", "100000", "-I", "60",
				"-L", "100000:5", // the largest number of entries in a listing
				"-Y", "1", "-2", pem)...), nil
		},
	}
}

func pureCommand(site Site, program string, args ...string) *exec.Cmd {
	root := filepath.Join(site.Peers, "pure-ftpd")
	return forking(root, filepath.Join(root, "usr", program), args...)
}
