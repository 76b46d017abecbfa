package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

const hashHelp = `ftpd hash reads a password and prints an argon2id hash of it, to be stored in its place: in
the Secret of a user, in the file of --config (passwordHash), or in --user NAME:HASH.

Usage:
  ftpd hash              asks for the password, twice, and shows nothing of it
  ftpd hash < FILE       reads it from a file or a pipe, without the line's end

The text is always the password itself, also if it looks like a hash.
`

// hashPassword is the command "hash". It returns the exit code: 0, or 1 if the input is no password that an FTP
// client could send, or 2 if the command line is wrong. It never prints the password.
func hashPassword(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
		_, _ = io.WriteString(stdout, hashHelp)
		return 0
	}
	if len(args) > 0 {
		_, _ = fmt.Fprint(stderr, "ftpd hash: takes no arguments: type the password when asked, or give it on the standard input\nTry 'ftpd hash --help'.\n")
		return 2
	}
	password, err := readPassword(stdin, stderr)
	if err == nil {
		if err = passhash.CheckPassword(password); err != nil {
			err = fmt.Errorf("the password %w", err)
		}
	}
	var hash string
	if err == nil {
		hash, err = passhash.Hash(password)
	}
	if err == nil {
		_, err = fmt.Fprintln(stdout, hash)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "ftpd hash: %v\n", err)
		return 1
	}
	return 0
}

// readPassword asks for the password if the standard input is a terminal; otherwise it reads the input to its end.
func readPassword(stdin *os.File, prompts io.Writer) (string, error) {
	if !term.IsTerminal(int(stdin.Fd())) { //nolint:gosec // a descriptor
		text, err := io.ReadAll(io.LimitReader(stdin, 2*passhash.MaxPassword))
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		_, _ = io.WriteString(prompts, prompt)
		text, err := term.ReadPassword(int(stdin.Fd())) //nolint:gosec // a descriptor
		_, _ = io.WriteString(prompts, "\n")
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ: try again")
	}
	return typed[0], nil
}
