package server

import (
	"context"
	"net/netip"
	"os/exec"
)

// Raw is this program as a server without a protocol: Addr sends, and Up receives.
type Raw struct {
	*Running
	Up netip.AddrPort
}

// StartRaw starts a raw server that sends the file source and stores into the file target.
func StartRaw(ctx context.Context, site Site, source, target string) (*Raw, error) {
	upPort, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	up := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(upPort))
	k := Kind{Name: "raw", command: func(_ Site, _ string, port int) (*exec.Cmd, error) {
		return exec.Command(site.Self, "raw", "127.0.0.1:"+portText(port), up.String(), source, target), nil
	}}
	r, err := k.Start(ctx, site)
	if err != nil {
		return nil, err
	}
	return &Raw{r, up}, nil
}
