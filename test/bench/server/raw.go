package server

import (
	"context"
	"net/netip"
	"os/exec"
)

// Raw is this program as a server without a protocol: Addr sends, and Up receives. Small is the Running that speaks as much
// FTP as small files need.
type Raw struct {
	*Running
	Up    netip.AddrPort
	Small *Running
}

// StartRaw starts a raw server that sends the file source and stores into the file target.
func StartRaw(ctx context.Context, site Site, source, target string) (*Raw, error) {
	first, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	local := netip.MustParseAddr("127.0.0.1")
	up, small := netip.AddrPortFrom(local, uint16(first)), netip.AddrPortFrom(local, uint16(first+1))
	k := Kind{Name: "raw", command: func(_ Site, _ string, port int) (*exec.Cmd, error) {
		return exec.Command(site.Self, "raw", "127.0.0.1:"+portText(port), up.String(), small.String(), source, target), nil
	}}
	r, err := k.Start(ctx, site)
	if err != nil {
		return nil, err
	}
	files := *r
	files.Addr = small
	return &Raw{r, up, &files}, nil
}
