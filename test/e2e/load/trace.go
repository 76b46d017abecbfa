package load

import (
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
)

// Line is a line of a daemon's audit log about a transfer that succeeded.
type Line struct {
	Upload bool
	Path   string
	// Port is the server's port of the data connection.
	Port uint16
}

// PodLog is the audit log of one container of a daemon.
type PodLog struct {
	Pod string
	// Ports are the pod's own passive ports.
	Ports []uint16
	// Sessions are the lines of each session, in order.
	Sessions map[uint64][]Line
}

// Trace compares what the clients did with what the pods logged, and returns the differences. Every completed
// transfer must be in the log of exactly one pod, the same for all transfers of the session, and on the port that the
// client was given, which must be one of the pod's own. So the control connection, the data connection and the
// announced port belong to the same daemon.
func Trace(r *Report, logs []PodLog) []string {
	type place struct {
		log     *PodLog
		session uint64
	}
	// Names of uploads are unique, and the first transfer of a session is an upload.
	seen := map[string][]place{}
	for i := range logs {
		for id, lines := range logs[i].Sessions {
			for _, line := range lines {
				if line.Upload {
					seen[line.Path] = append(seen[line.Path], place{&logs[i], id})
				}
			}
		}
	}
	var differs []string
	for i := range r.Sessions {
		s := &r.Sessions[i]
		told := completed(s)
		if len(told) == 0 {
			continue
		}
		places := seen[told[0].Path]
		if len(places) != 1 {
			differs = append(differs, fmt.Sprintf("session %d: %s was logged %d times", s.ID, told[0].Path, len(places)))
			continue
		}
		where := places[0]
		for _, line := range told {
			if !slices.Contains(where.log.Ports, line.Port) {
				differs = append(differs, fmt.Sprintf("session %d on pod %s: port %d is not the pod's", s.ID, where.log.Pod, line.Port))
			}
		}
		if logged := where.log.Sessions[where.session]; !slices.Equal(told, logged) {
			differs = append(differs, fmt.Sprintf("session %d on pod %s: the client had %v, the pod %v", s.ID, where.log.Pod, told, logged))
		}
	}
	return differs
}

// completed returns the transfers of a session as the pod should have logged them.
func completed(s *Session) []Line {
	var lines []Line
	for i := range s.Transfers {
		t := &s.Transfers[i]
		if t.Outcome != Completed {
			continue
		}
		_, port, _ := net.SplitHostPort(t.Address)
		n, _ := strconv.ParseUint(port, 10, 16) // an invalid port is none of the pod's
		lines = append(lines, Line{Upload: t.Upload, Path: path.Join("/", t.Path), Port: uint16(n)})
	}
	return lines
}
