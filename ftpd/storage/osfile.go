package storage

import "os"

// OSFile is the *os.File that a File is, or is made of: those have a method OSFile. False if there is none.
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
