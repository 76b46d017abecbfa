//go:build race

package ftpd_test

// raceDetector says that the race detector is on: it follows 8128 goroutines at most, and slows everything down.
const raceDetector = true
