package status

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// DataPeer is the check that verifies to which client a data connection belongs.
type DataPeer struct {
	Check v1alpha1.DataPeerCheck
	// Reason says why this check applies.
	Reason string
}

// weakestFirst lists the checks, the weakest first.
var weakestFirst = []v1alpha1.DataPeerCheck{v1alpha1.DataPeerRelaxed, v1alpha1.DataPeerTLSSession, v1alpha1.DataPeerStrict}

// dataPeerCheck returns the weakest check that a pod reports, with the reason of the configured check, or with the
// name of the pod that does not apply that check yet. If no pod could be asked, it returns the configured check.
func dataPeerCheck(o Observed) (check v1alpha1.DataPeerCheck, reason string) {
	weakest, asked := (*Pod)(nil), false
	strength := func(p *Pod) int { return slices.Index(weakestFirst, v1alpha1.DataPeerCheck(p.Daemon.DataPeer)) }
	for i := range o.Pods {
		p := &o.Pods[i]
		if p.Terminating || p.Daemon == nil || strength(p) < 0 {
			continue
		}
		asked = true
		if weakest == nil || cmp.Or(strength(p)-strength(weakest), cmp.Compare(p.Name, weakest.Name)) < 0 {
			weakest = p
		}
	}
	switch {
	case !asked:
		return o.DataPeer.Check, o.DataPeer.Reason + " (as configured; no pod could be asked)"
	case v1alpha1.DataPeerCheck(weakest.Daemon.DataPeer) != o.DataPeer.Check:
		return v1alpha1.DataPeerCheck(weakest.Daemon.DataPeer),
			fmt.Sprintf("pod %s has not taken over yet that it is to be %s", weakest.Name, o.DataPeer.Check)
	}
	return o.DataPeer.Check, o.DataPeer.Reason
}
