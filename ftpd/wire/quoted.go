package wire

import (
	"errors"
	"strings"
)

var errQuotes = errors.New("a name in quotes has no closing quote, or something clings to it")

// SplitWords splits an argument into words at its blanks. A word in double quotes may contain blanks, and a quote
// that is written twice.
func SplitWords(arg string) ([]string, error) {
	var words []string
	for {
		arg = strings.TrimLeft(arg, " ")
		if arg == "" {
			return words, nil
		}
		word, rest, err := firstWord(arg)
		if err != nil {
			return nil, err
		}
		words = append(words, word)
		arg = rest
	}
}

// firstWord splits the first word off an argument that doesn't start with a blank.
func firstWord(arg string) (word, rest string, err error) {
	if arg[0] != '"' {
		word, rest, _ = strings.Cut(arg, " ")
		return word, rest, nil
	}
	var b strings.Builder
	arg = arg[1:]
	for {
		text, after, closed := strings.Cut(arg, `"`)
		b.WriteString(text)
		switch {
		case !closed:
			return "", "", errQuotes
		case strings.HasPrefix(after, `"`):
			b.WriteByte('"')
			arg = after[1:]
		case after == "" || after[0] == ' ':
			return b.String(), after, nil
		default:
			return "", "", errQuotes
		}
	}
}
