package resources

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// TLSDeclared reports whether the spec enables TLS.
func TLSDeclared(server *v1alpha1.FtpServer) bool {
	return server.Spec.TLS != nil && server.Spec.TLS.Mode != v1alpha1.TLSDisabled
}

// ImplicitTLS returns the settings of the port with implicit TLS, with the default for the port number; nil if there
// is none.
func ImplicitTLS(server *v1alpha1.FtpServer) *v1alpha1.ImplicitTLSSpec {
	if !TLSDeclared(server) || server.Spec.TLS.Implicit == nil || !server.Spec.TLS.Implicit.Enabled {
		return nil
	}
	implicit := *server.Spec.TLS.Implicit
	implicit.Port = cmp.Or(implicit.Port, 990)
	return &implicit
}

// daemonTLS returns the daemon's TLS settings; nil if there are no certificates, since the daemon can't offer TLS
// then.
func daemonTLS(in Inputs) *config.TLS {
	if !TLSDeclared(in.Server) || len(in.Certificates) == 0 {
		return nil
	}
	spec := in.Server.Spec.TLS
	login := config.PolicyRequired
	if spec.Mode == v1alpha1.TLSOptional {
		login = config.PolicyOptional
	}
	out := &config.TLS{
		Revision:        revision(tlsFiles(in)),
		MinVersion:      config.TLSVersion(spec.MinVersion),
		Login:           login,
		Data:            cmp.Or(config.Policy(spec.Data), login),
		SessionReuse:    sessionReuse(spec.SessionReuse),
		AllowCCC:        spec.AllowCCC,
		AllowTruncation: spec.AllowTruncation,
	}
	for _, c := range in.Certificates {
		cert, key := CertificateKeys(c.Extra)
		out.Certificates = append(out.Certificates, config.Certificate{
			CertFile: configDir + "/" + cert,
			KeyFile:  configDir + "/" + key,
			Hosts:    c.Hosts,
		})
	}
	if ImplicitTLS(in.Server) != nil {
		out.ImplicitListen = []string{net.JoinHostPort("", strconv.Itoa(ImplicitPort))}
	}
	if spec.ClientCA != nil && len(in.ClientCA) > 0 {
		out.ClientAuth = config.ClientAuth{
			Mode:   cmp.Or(config.ClientAuthMode(spec.ClientCA.Mode), config.ClientAuthRequired),
			CAFile: configDir + "/" + ClientCAKey,
		}
	}
	return out
}

// sessionReuse maps Disabled to the daemon's word for it.
func sessionReuse(r v1alpha1.SessionReuse) config.SessionReuse {
	if r == v1alpha1.SessionReuseDisabled {
		return config.SessionReuseOff
	}
	return config.SessionReuse(r)
}

// tlsFiles returns the PEM files of in.Certificates and in.ClientCA, by their keys in the config Secret.
func tlsFiles(in Inputs) map[string][]byte {
	files := map[string][]byte{}
	if !TLSDeclared(in.Server) {
		return files
	}
	for _, c := range in.Certificates {
		cert, key := CertificateKeys(c.Extra)
		files[cert], files[key] = c.CertPEM, c.KeyPEM
	}
	if len(files) > 0 && in.Server.Spec.TLS.ClientCA != nil && len(in.ClientCA) > 0 {
		files[ClientCAKey] = in.ClientCA
	}
	return files
}

// revision returns a hash that identifies the content of the files.
func revision(files map[string][]byte) string {
	whole := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part := sha256.Sum256(files[name])
		whole.Write([]byte(name))
		whole.Write(part[:])
	}
	return hex.EncodeToString(whole.Sum(nil)[:8])
}
