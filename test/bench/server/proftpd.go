package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// proftpd has TLS on a separate port: where TLS is enabled, every session begins with much OpenSSL work, whether it
// uses TLS or not.
func proftpd(logged bool) Kind {
	return Kind{
		Name: logName("ProFTPD", logged), Logged: logged, program: "proftpd/usr/sbin/proftpd", MLSD: true, tlsApart: true,
		version: func(site Site) *exec.Cmd { return proftpdCommand(site, "-v") },
		command: func(site Site, dir string, port int) (*exec.Cmd, error) {
			crypted, err := quickHash(Password)
			if err != nil {
				return nil, err
			}
			users := filepath.Join(dir, "users")
			line := fmt.Sprintf("%s:%s:%d:%d::%s:/bin/false\n", User, crypted, nobody, nobody, site.Files)
			if err := os.WriteFile(users, []byte(line), 0o600); err != nil {
				return nil, err
			}
			log := "none"
			if logged {
				log = filepath.Join(dir, transferLog)
			}
			file, err := write(dir, "proftpd.conf", fmt.Sprintf(`ModulePath %s
LoadModule mod_tls.c
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port %d
UseIPv6 off
User nobody
Group nogroup
AuthOrder mod_auth_file.c
AuthUserFile %s
RequireValidShell off
AuthPAM off
DefaultRoot ~
Umask 022
AllowOverwrite on
AllowStoreRestart on
UseReverseDNS off
UseSendfile on
DelayEngine off
WtmpLog off
TransferLog %s
SystemLog %s
ScoreboardFile none
PidFile %s
MaxInstances none
TimeoutIdle 3600
TimeoutNoTransfer 3600
ListOptions -a
<VirtualHost 127.0.0.1>
  Port %d
  AuthUserFile %s
  RequireValidShell off
  AuthPAM off
  DefaultRoot ~
  AllowOverwrite on
  TransferLog none
  TLSEngine on
  TLSLog none
  TLSRequired off
  TLSVerifyClient off
  TLSProtocol TLSv1.2 TLSv1.3
  TLSOptions NoSessionReuseRequired
  TLSECCertificateFile %s
  TLSECCertificateKeyFile %s
</VirtualHost>
`, filepath.Join(site.Peers, "proftpd", "usr", "lib", "proftpd"), port, users, log, filepath.Join(dir, "system.log"),
				filepath.Join(dir, "pid"), port+1, users, site.Cert, site.Key))
			if err != nil {
				return nil, err
			}
			return proftpdCommand(site, "-n", "-q", "-c", file), nil
		},
	}
}

func proftpdCommand(site Site, args ...string) *exec.Cmd {
	root := filepath.Join(site.Peers, "proftpd")
	return forking(root, filepath.Join(root, "usr", "sbin", "proftpd"), args...)
}
