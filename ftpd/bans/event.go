package bans

// Event is something that speaks against a client.
type Event int

// The events. What ordinary clients do now and then, such as trying a command that is not known,
// is for the caller to leave out up to a point.
const (
	// FailedLogin is a wrong name or password.
	FailedLogin Event = iota
	// Bounce is an attempt to make the server dial somebody else.
	Bounce
	// LongLine is a command line that is longer than any sane one.
	LongLine
	// NoLogin is a session that was ended because there was no login in time.
	NoLogin
	// UnknownCommand is one of many unknown commands.
	UnknownCommand
	// IdleReservation is one of many passive ports asked for and not used.
	IdleReservation
	// Refused is a connection that was refused because the address had too many.
	Refused
	// Events is how many there are.
	Events
)

// failure is the weight of a failed login.
const failure = 10

// weights say how much of a failed login each event is: ten times its weight is one.
var weights = map[Event]uint32{
	FailedLogin:     failure,
	Bounce:          5,
	LongLine:        5,
	NoLogin:         2,
	UnknownCommand:  1,
	IdleReservation: 1,
	Refused:         1,
}

// String is the event as the log names it.
func (e Event) String() string {
	switch e {
	case FailedLogin:
		return "failed logins"
	case Bounce:
		return "attempts to bounce"
	case LongLine:
		return "too long command lines"
	case NoLogin:
		return "sessions without login"
	case UnknownCommand:
		return "unknown commands"
	case IdleReservation:
		return "unused passive ports"
	case Refused:
		return "too many connections"
	default:
		return "abuse"
	}
}
