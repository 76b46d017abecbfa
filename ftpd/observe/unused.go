package observe

// UnusedReservation is the reason why the reservation of a passive port ended without a data connection. The client
// was most likely given an address or a port that it can't reach.
type UnusedReservation int

// The reasons for which a reservation ended.
const (
	// UnusedExpired: no data connection came in time.
	UnusedExpired UnusedReservation = iota
	// UnusedReplaced: the client sent another PASV, EPSV, PORT or EPRT.
	UnusedReplaced
	// UnusedAborted: the client sent ABOR.
	UnusedAborted
	// UnusedSessionEnded: the session ended, or REIN or AUTH ended its login.
	UnusedSessionEnded
	// UnusedReservations is the number of reasons.
	UnusedReservations
)

// String returns the name of the reason in metrics and in the log.
func (u UnusedReservation) String() string {
	return [...]string{"expired", "replaced", "aborted", "session_ended"}[u]
}
