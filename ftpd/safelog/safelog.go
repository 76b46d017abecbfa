// Package safelog makes log records safe for logs of any format and for terminals. Handler wraps the slog.Handler
// that all records pass through, so this does not depend on where a text comes from or which code logs it. Start
// reading at Handler. The package imports nothing else of this module.
package safelog

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// maxText bounds the length of a text in bytes. The rest of a longer text is left out.
const maxText = 8192

// Stack is a text of the program itself, such as a stack trace, that may contain line breaks. It must not contain
// text from outside. The wrapped handler gets it as a string.
type Stack string

// Handler returns a handler that makes messages, keys and values safe before it passes them to next. Characters that
// are not printable are escaped as in a Go string. They include control characters, characters that change the
// direction of text, and bytes that are not UTF-8.
func Handler(next slog.Handler) slog.Handler {
	if h, ok := next.(handler); ok {
		return h
	}
	return handler{next}
}

type handler struct{ next slog.Handler }

func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if isSafe(&r) {
		return h.next.Handle(ctx, r)
	}
	safe := slog.NewRecord(r.Time, r.Level, Text(r.Message), r.PC)
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, attr(a))
		return true
	})
	safe.AddAttrs(attrs...)
	return h.next.Handle(ctx, safe)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.next.WithAttrs(all(attrs))}
}

func (h handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return handler{h.next.WithGroup(Text(name))}
}

// all makes attributes safe.
func all(attrs []slog.Attr) []slog.Attr {
	safe := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		safe[i] = attr(a)
	}
	return safe
}

func attr(a slog.Attr) slog.Attr { return slog.Attr{Key: Text(a.Key), Value: value(a.Value.Resolve())} }

// isSafe reports whether a record is safe as it is, as most are.
func isSafe(r *slog.Record) bool {
	safe := isSafeText(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		safe = safe && isSafeText(a.Key)
		switch a.Value.Kind() {
		case slog.KindString:
			safe = safe && isSafeText(a.Value.String())
		case slog.KindGroup, slog.KindAny, slog.KindLogValuer:
			safe = false // these are converted
		}
		return safe
	})
	return safe
}

// value makes a value safe. Values other than numbers, booleans, times and the like are logged as text.
func value(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(Text(v.String()))
	case slog.KindGroup:
		return slog.GroupValue(all(v.Group())...)
	case slog.KindAny:
		switch v := v.Any().(type) {
		case Stack:
			return slog.StringValue(string(v))
		case nil:
			return slog.AnyValue(nil)
		case error:
			return slog.StringValue(Text(v.Error()))
		default:
			return slog.StringValue(Text(fmt.Sprint(v)))
		}
	default: // numbers, booleans, times
		return v
	}
}

// Text makes a text safe. It returns a text that is safe already unchanged.
func Text(text string) string {
	if isSafeText(text) {
		return text
	}
	if len(text) > maxText {
		text = text[:maxText] + "..."
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

func isSafeText(text string) bool { return len(text) <= maxText && isPrintable(text) }

// isPrintable reports whether text is valid UTF-8 and has printable characters only.
func isPrintable(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return utf8.ValidString(text) && !containsUnprintable(text)
		}
	}
	return true
}

// containsUnprintable reports whether text has a character that is not printable.
func containsUnprintable(text string) bool {
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return true
		}
	}
	return false
}
