package observe

// UnusedReservation is why a reservation of a passive port ended without a data connection. Such a client was
// most likely told an address or a port that it can't reach.
type UnusedReservation int

// The reasons.
const (
	// UnusedExpired: none came in time.
	UnusedExpired UnusedReservation = iota
	// UnusedReplaced: the client sent another PASV, EPSV, PORT or EPRT.
	UnusedReplaced
	// UnusedAborted: the client sent ABOR.
	UnusedAborted
	// UnusedSessionEnded: the session ended, or its login by REIN or AUTH.
	UnusedSessionEnded
	// UnusedReservations is how many there are.
	UnusedReservations
)

// String is the reason as metrics and the log name it.
func (u UnusedReservation) String() string {
	return [...]string{"expired", "replaced", "aborted", "session_ended"}[u]
}
