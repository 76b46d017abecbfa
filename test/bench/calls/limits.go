package calls

// These are the numbers of system calls (Counts.Work) that the daemon may make for one operation of a single session: what it
// makes today at least, rounded up. A change that needs fewer lowers them.
const (
	MostRETR  = 22 // of a file of 1 KiB in the home: EPSV, RETR, audit line; 21 today
	MostSTOR  = 30 // of a new file of 1 KiB in the home, without fsync; 28.5 today
	MostLogin = 22 // from the connection to 230, with a remembered password; 19 today
)
