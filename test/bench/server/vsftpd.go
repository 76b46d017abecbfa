package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// vsftpd maps every user that PAM accepts to a guest. The PAM service and the guest's home are in a separate mount
// namespace, so nothing on this machine is changed.
func vsftpd(logged bool) Kind {
	return Kind{
		Name: logName("vsftpd", logged), Logged: logged, program: "vsftpd/usr/sbin/vsftpd",
		version: func(site Site) *exec.Cmd {
			// It prints to its standard input, if that is open.
			return exec.Command("sh", "-c", `exec "$0" -v 0>&1`, filepath.Join(site.Peers, "vsftpd", "usr", "sbin", "vsftpd"))
		},
		command: func(site Site, dir string, port int) (*exec.Cmd, error) {
			pam := filepath.Join(dir, "pam.d")
			empty := filepath.Join(dir, "empty")
			for _, d := range []string{pam, empty} {
				if err := os.Mkdir(d, 0o755); err != nil { //nolint:gosec // vsftpd wants it so
					return nil, err
				}
			}
			if _, err := write(pam, "bench", "auth required pam_permit.so\naccount required pam_permit.so\n"); err != nil {
				return nil, err
			}
			guest := fmt.Sprintf("root:x:0:0::/:/bin/false\nnobody:x:%d:%d::%s:/bin/false\n", nobody, nobody, site.Files)
			passwd, err := write(dir, "passwd", guest)
			if err != nil {
				return nil, err
			}
			file, err := write(dir, "vsftpd.conf", fmt.Sprintf(`background=NO
listen=YES
listen_address=127.0.0.1
listen_port=%d
local_enable=YES
anonymous_enable=NO
guest_enable=YES
guest_username=nobody
virtual_use_local_privs=YES
pam_service_name=bench
local_root=%s
chroot_local_user=YES
allow_writeable_chroot=YES
write_enable=YES
local_umask=022
secure_chroot_dir=%s
max_clients=0
max_per_ip=0
use_sendfile=YES
xferlog_enable=%s
vsftpd_log_file=%s
setproctitle_enable=NO
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
idle_session_timeout=3600
ssl_enable=YES
force_local_data_ssl=NO
force_local_logins_ssl=NO
require_ssl_reuse=NO
ssl_ciphers=HIGH
rsa_cert_file=%s
rsa_private_key_file=%s
`, port, site.Files, empty, map[bool]string{false: "NO", true: "YES"}[logged], filepath.Join(dir, transferLog), site.Cert, site.Key))
			if err != nil {
				return nil, err
			}
			root := filepath.Join(site.Peers, "vsftpd")
			cmd := forking(root, "/bin/sh", "-c", `mount --bind "$0" /etc/pam.d && mount --bind "$1" /etc/passwd && shift && exec "$@"`,
				pam, passwd, filepath.Join(root, "usr", "sbin", "vsftpd"), file)
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			return cmd, nil
		},
	}
}
