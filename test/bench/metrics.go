package main

// metric is one row of the report.
type metric struct {
	id    string
	group string // for the flag -rows
	title string
	unit  string
	// less is true if a smaller value is better.
	less bool
	// wanted is the required ratio to the best peer, above 1 if the daemon is to be better; 0: none. If unsynced is
	// true it applies to the daemon without fsync, since no peer syncs.
	wanted   float64
	unsynced bool
	// most is an upper limit, in the unit of the row, that is required instead of a ratio.
	most float64
}

// metrics are the rows of the report, in order.
var metrics = []metric{
	{id: "retr", group: "bulk", title: "RETR, 1 session", unit: "MB/s", wanted: 1},
	{id: "retr4", group: "bulk", title: "RETR, 4 at a time", unit: "MB/s", wanted: 1.2},
	{id: "retr-cpu", group: "bulk", title: "RETR, server's CPU", unit: "s/GiB", less: true, wanted: 1},
	{id: "stor", group: "bulk", title: "STOR, 1 session", unit: "MB/s", wanted: 1.1, unsynced: true},
	{id: "stor4", group: "bulk", title: "STOR, 4 at a time", unit: "MB/s"},
	{id: "stor-cpu", group: "bulk", title: "STOR, server's CPU", unit: "s/GiB", less: true, wanted: 1, unsynced: true},

	{id: "curl-retr", group: "clients", title: "RETR by curl", unit: "MB/s", wanted: 1},
	{id: "curl-stor", group: "clients", title: "STOR by curl", unit: "MB/s", wanted: 1, unsynced: true},
	{id: "lftp-retr", group: "clients", title: "RETR by lftp", unit: "MB/s"},
	{id: "lftp-stor", group: "clients", title: "STOR by lftp", unit: "MB/s"},

	{id: "retr-1k", group: "small", title: "RETR of 1 KiB, 1 session", unit: "files/s", wanted: 1.15},
	{id: "retr-1k-cpu", group: "small", title: "RETR of 1 KiB, 1 session, server's CPU", unit: "µs", less: true},
	{id: "retr-1k-16", group: "small", title: "RETR of 1 KiB, 16 sessions", unit: "files/s", wanted: 1.1},
	{id: "retr-1k-16-cpu", group: "small", title: "RETR of 1 KiB, 16 sessions, server's CPU", unit: "µs", less: true},
	{id: "retr-64k", group: "small", title: "RETR of 64 KiB, 1 session", unit: "files/s", wanted: 1.05},
	{id: "retr-64k-cpu", group: "small", title: "RETR of 64 KiB, 1 session, server's CPU", unit: "µs", less: true},
	{id: "retr-64k-16", group: "small", title: "RETR of 64 KiB, 16 sessions", unit: "files/s", wanted: 1.05},
	{id: "retr-64k-16-cpu", group: "small", title: "RETR of 64 KiB, 16 sessions, server's CPU", unit: "µs", less: true},
	{id: "stor-1k", group: "small", title: "STOR of 1 KiB, 1 session", unit: "files/s", wanted: 1.2, unsynced: true},
	{id: "stor-1k-cpu", group: "small", title: "STOR of 1 KiB, 1 session, server's CPU", unit: "µs", less: true},
	{id: "stor-1k-16", group: "small", title: "STOR of 1 KiB, 16 sessions", unit: "files/s", wanted: 1, unsynced: true},
	{id: "stor-1k-16-cpu", group: "small", title: "STOR of 1 KiB, 16 sessions, server's CPU", unit: "µs", less: true},
	{id: "stor-64k", group: "small", title: "STOR of 64 KiB, 1 session", unit: "files/s", wanted: 1, unsynced: true},
	{id: "stor-64k-cpu", group: "small", title: "STOR of 64 KiB, 1 session, server's CPU", unit: "µs", less: true},
	{id: "stor-64k-16", group: "small", title: "STOR of 64 KiB, 16 sessions", unit: "files/s", wanted: 1, unsynced: true},
	{id: "stor-64k-16-cpu", group: "small", title: "STOR of 64 KiB, 16 sessions, server's CPU", unit: "µs", less: true},

	{id: "list-first-2000", group: "list", title: "LIST of 2,000 entries, the first time", unit: "ms", less: true, wanted: 1.7},
	{id: "list-2000", group: "list", title: "LIST of 2,000 entries, again and again", unit: "ms", less: true, wanted: 10},
	{id: "list-first-20000", group: "list", title: "LIST of 20,000 entries, the first time", unit: "ms", less: true, wanted: 1.7},
	{id: "list-20000", group: "list", title: "LIST of 20,000 entries, again and again", unit: "ms", less: true, wanted: 10},
	{id: "mlsd-first-2000", group: "list", title: "MLSD of 2,000 entries, the first time", unit: "ms", less: true, wanted: 1.7},
	{id: "mlsd-2000", group: "list", title: "MLSD of 2,000 entries, again and again", unit: "ms", less: true, wanted: 10},
	{id: "mlsd-first-20000", group: "list", title: "MLSD of 20,000 entries, the first time", unit: "ms", less: true, wanted: 1.7},
	{id: "mlsd-20000", group: "list", title: "MLSD of 20,000 entries, again and again", unit: "ms", less: true, wanted: 10},

	{id: "login", group: "login", title: "Logins, 1 at a time", unit: "logins/s", wanted: 1.1},
	{id: "login-cpu", group: "login", title: "Logins, 1 at a time, server's CPU", unit: "µs", less: true},
	{id: "login-16", group: "login", title: "Logins, 16 at a time", unit: "logins/s", wanted: 1.3},
	{id: "login-16-cpu", group: "login", title: "Logins, 16 at a time, server's CPU", unit: "µs", less: true},

	{id: "tls-retr", group: "tls", title: "RETR with TLS", unit: "MB/s", wanted: 1.2},
	{id: "tls-retr-cpu", group: "tls", title: "RETR with TLS, server's CPU", unit: "s/GiB", less: true},
	{id: "tls-stor", group: "tls", title: "STOR with TLS", unit: "MB/s", wanted: 1.1, unsynced: true},
	{id: "tls-stor-cpu", group: "tls", title: "STOR with TLS, server's CPU", unit: "s/GiB", less: true},
	{id: "tls-login", group: "tls", title: "TLS logins, 1 at a time", unit: "logins/s"},
	{id: "tls-login-cpu", group: "tls", title: "TLS logins, 1 at a time, server's CPU", unit: "µs", less: true},
	{id: "tls-login-16", group: "tls", title: "TLS logins, 16 at a time", unit: "logins/s"},
	{id: "tls-login-16-cpu", group: "tls", title: "TLS logins, 16 at a time, server's CPU", unit: "µs", less: true},

	{id: "retr-1k-calls-work", group: "calls", title: "System calls for a RETR of 1 KiB", unit: "calls", less: true, most: 22},
	{id: "retr-1k-calls", group: "calls", title: "System calls for a RETR of 1 KiB, with those of scheduling", unit: "calls", less: true},
	{id: "stor-1k-calls-work", group: "calls", title: "System calls for a STOR of 1 KiB", unit: "calls", less: true, most: 32, unsynced: true},
	{id: "stor-1k-calls", group: "calls", title: "System calls for a STOR of 1 KiB, with those of scheduling", unit: "calls", less: true},
	{id: "login-calls-work", group: "calls", title: "System calls for a login", unit: "calls", less: true, most: 30},
	{id: "login-calls", group: "calls", title: "System calls for a login, with those of scheduling", unit: "calls", less: true},

	{id: "memory-1000", group: "memory", title: "Memory per idle session, at 1,000", unit: "KiB", less: true},
	{id: "memory-10000", group: "memory", title: "Memory per idle session, at 10,000", unit: "KiB", less: true, most: 24},
}

// groups are the groups that -rows accepts.
var groups = []string{"bulk", "clients", "small", "list", "login", "tls", "calls", "memory"}
