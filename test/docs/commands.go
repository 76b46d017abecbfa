// Package docs finds the commands in the documentation, so that tests run them as they are written. Its tests check
// that the messages which the pages about failures quote exist in the program, and that tests cover what these pages
// say.
package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Command is a command in a page.
type Command struct {
	// Page is the page's path below the root of the repository, with slashes.
	Page string
	// Line is the number of the command's first line, from 1.
	Line int
	// Text is the command as written. It has several lines if a backslash, a pipe, a quoted text or a here-document
	// continues it.
	Text string
	// Inline is true for a command in a sentence, and false for one in a code block.
	Inline bool
}

func (c Command) String() string { return fmt.Sprintf("%s:%d: %s", c.Page, c.Line, c.Text) }

// Pages returns the pages with commands, as paths below the root of the repository.
func Pages(root string) ([]string, error) {
	var pages []string
	for _, pattern := range []string{"README.md", "CONTRIBUTING.md", "docs/*.md", "charts/*/README.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			page, err := filepath.Rel(root, file)
			if err != nil {
				return nil, err
			}
			pages = append(pages, filepath.ToSlash(page))
		}
	}
	return pages, nil
}

// Commands returns the commands of a page, in order.
func Commands(root, page string) ([]Command, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page)))
	if err != nil {
		return nil, err
	}
	return parse(page, string(text)), nil
}

// inline matches commands in sentences: text in backquotes that begins with a program's name and a space.
var inline = regexp.MustCompile("`((?:kubectl|helm|curl|make|docker|kind|ctr|openssl|bin/ftpd|ftpd|lftp) [^`]+)`")

func parse(page, text string) []Command {
	var commands []Command
	var block []string
	fence, began := "", 0
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case fence == "" && strings.HasPrefix(trimmed, "```"):
			fence, block, began = trimmed, nil, i+2
		case fence != "" && trimmed == "```":
			if fence == "```sh" {
				commands = append(commands, split(page, began, block)...)
			}
			fence = ""
		case fence != "":
			block = append(block, line)
		default:
			for _, match := range inline.FindAllStringSubmatch(line, -1) {
				commands = append(commands, Command{Page: page, Line: i + 1, Text: match[1], Inline: true})
			}
		}
	}
	return commands
}

// goesOn reports whether the next line belongs to the command, too.
func goesOn(command string) bool {
	return strings.HasSuffix(command, `\`) || strings.HasSuffix(command, "|") || strings.Count(command, "'")%2 == 1
}

var hereDocument = regexp.MustCompile(`<<-?\s*'?(\w+)'?`)

// split splits a block into its commands; it skips comments and blank lines between them.
func split(page string, began int, block []string) []Command {
	var commands []Command
	for i := 0; i < len(block); i++ {
		line := strings.TrimSpace(block[i])
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		first, lines := i, []string{block[i]}
		for goesOn(strings.Join(lines, "\n")) && i+1 < len(block) {
			i++
			lines = append(lines, block[i])
		}
		if match := hereDocument.FindStringSubmatch(strings.Join(lines, "\n")); match != nil {
			for i+1 < len(block) {
				i++
				lines = append(lines, block[i])
				if strings.TrimSpace(block[i]) == match[1] {
					break
				}
			}
		}
		commands = append(commands, Command{Page: page, Line: began + first, Text: strings.Join(lines, "\n")})
	}
	return commands
}
