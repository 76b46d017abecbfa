package portplan

// Quota is how many ports a pod gets when enough are free. It leaves room for a whole rollout
// whose old pods all linger, since a pod that drains long transfers keeps its ports for as long
// as its grace period while its successor is there already: the replicas twice, and the surge
// (at least one pod, which a rollout that follows at once will want). At least 1, at most
// MaxPortsPerPod.
//
// Little is lost by the room that is left: a passive port is held only from a PASV reply to the
// data connection, not for the transfer, so that ten ports carry thousands of transfers.
func Quota(ports, replicas, surge int) int {
	return min(max(ports/(2*max(replicas, 0)+spare(surge)), 1), MaxPortsPerPod)
}

// spare is how many pods beyond the known ones ports are kept for.
func spare(surge int) int { return max(surge, 1) }

// share is how many ports each waiting pod gets: the quota, or, when less is free, an equal part
// of it. Pods that are still to come count as if they were waiting, so that the first of them
// doesn't take what the others need, and there is always one more to come: the surge pod
// of the next rollout. While fewer ports are free than pods wait, each gets one as far as they go.
func share(in Input, free, waiting, holders int) int {
	missing := max(in.Replicas, 0) + max(in.Surge, 0) - holders - waiting
	claims := waiting + max(missing, spare(in.Surge))
	return min(max(free/claims, 1), Quota(len(in.Range), in.Replicas, in.Surge))
}
