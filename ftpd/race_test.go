//go:build race

package ftpd_test

// raceDetector follows 8128 goroutines at most, and slows everything down.
const raceDetector = true
