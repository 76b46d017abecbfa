package passwords

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// queue holds work that waits for a worker, and serves it fairly: the namespaces take turns, within a namespace
// its servers take turns, and the work of one server is done in the order in which it was queued. So a thousand
// passwords of one tenant do not delay the one password of another, however many servers they are spread over. A
// queue is not safe for concurrent use.
type queue struct {
	namespaces []*namespaceTurns
}

type namespaceTurns struct {
	name    string
	servers []*serverTurns
}

type serverTurns struct {
	uid  types.UID
	work []work
}

// push appends work to the queue of its server.
func (q *queue) push(w work) {
	i := slices.IndexFunc(q.namespaces, func(n *namespaceTurns) bool { return n.name == w.server.Name.Namespace })
	if i < 0 {
		i = len(q.namespaces)
		q.namespaces = append(q.namespaces, &namespaceTurns{name: w.server.Name.Namespace})
	}
	n := q.namespaces[i]
	j := slices.IndexFunc(n.servers, func(s *serverTurns) bool { return s.uid == w.server.UID })
	if j < 0 {
		j = len(n.servers)
		n.servers = append(n.servers, &serverTurns{uid: w.server.UID})
	}
	n.servers[j].work = append(n.servers[j].work, w)
}

// pop removes and returns the work whose turn it is.
func (q *queue) pop() (work, bool) {
	if len(q.namespaces) == 0 {
		return work{}, false
	}
	n := q.namespaces[0]
	s := n.servers[0]
	w := s.work[0]
	s.work = s.work[1:]

	n.servers = n.servers[1:]
	if len(s.work) > 0 {
		n.servers = append(n.servers, s)
	}
	q.namespaces = q.namespaces[1:]
	if len(n.servers) > 0 {
		q.namespaces = append(q.namespaces, n)
	}
	return w, true
}

// drop removes all work of a server and returns the number of items removed.
func (q *queue) drop(server types.UID) int {
	dropped := 0
	for _, n := range q.namespaces {
		n.servers = slices.DeleteFunc(n.servers, func(s *serverTurns) bool {
			if s.uid != server {
				return false
			}
			dropped += len(s.work)
			return true
		})
	}
	q.namespaces = slices.DeleteFunc(q.namespaces, func(n *namespaceTurns) bool { return len(n.servers) == 0 })
	return dropped
}
