package storage

import "os"

// OSFile returns the *os.File that f is, or that f wraps if f has a method OSFile. It returns false if there is none.
func OSFile(f File) (*os.File, bool) {
	switch f := f.(type) {
	case *os.File:
		return f, true
	case interface{ OSFile() *os.File }:
		file := f.OSFile()
		return file, file != nil
	}
	return nil, false
}
