package portplan

// Quota returns the number of ports that a pod gets when enough are free: at least 1 and at most MaxPortsPerPod. It
// leaves room for a whole rollout whose old pods all linger, since a pod that drains long transfers keeps its ports
// for up to its grace period while its successor exists already. So the ports are divided by twice the replicas plus
// the surge (at least one pod, which a rollout that follows at once needs).
//
// Leaving that room costs little: a passive port is in use only from the PASV reply to the data connection, not
// during the transfer, so ten ports carry thousands of transfers.
func Quota(ports, replicas, surge int) int {
	return min(max(ports/(2*max(replicas, 0)+spare(surge)), 1), MaxPortsPerPod)
}

// spare returns the number of pods, beyond the known ones, for which ports are kept: surge, or 1 if that is less.
func spare(surge int) int { return max(surge, 1) }

// share returns the number of ports that each waiting pod gets: the quota, or an equal part of the free ports if that
// is less. Pods that are yet to be created count as waiting, so that the first of them does not take what the others
// need; there is always at least one more, the surge pod of the next rollout. While fewer ports are free than pods
// wait, each pod gets one until none is left.
func share(in Input, free, waiting, holders int) int {
	missing := max(in.Replicas, 0) + max(in.Surge, 0) - holders - waiting
	claims := waiting + max(missing, spare(in.Surge))
	return min(max(free/claims, 1), Quota(len(in.Range), in.Replicas, in.Surge))
}
