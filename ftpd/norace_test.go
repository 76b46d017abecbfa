//go:build !race

package ftpd_test

const raceDetector = false
