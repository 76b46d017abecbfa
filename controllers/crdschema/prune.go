package crdschema

import "strings"

// Prune removes the fields at those paths from an object.
func Prune(object map[string]any, paths []string) {
	for _, path := range paths {
		prune(object, strings.Split(path, "."))
	}
}

func prune(object map[string]any, path []string) {
	name := strings.TrimSuffix(strings.TrimSuffix(path[0], "[]"), "{}")
	if len(path) == 1 {
		delete(object, name)
		return
	}
	switch inner := object[name].(type) {
	case map[string]any:
		if !strings.HasSuffix(path[0], "{}") {
			prune(inner, path[1:])
			return
		}
		for _, value := range inner {
			if m, ok := value.(map[string]any); ok {
				prune(m, path[1:])
			}
		}
	case []any:
		for _, item := range inner {
			if m, ok := item.(map[string]any); ok {
				prune(m, path[1:])
			}
		}
	}
}

// Holds reports whether one of the paths is the given field or contains it.
func Holds(paths []string, field string) bool {
	for _, path := range paths {
		rest, begins := strings.CutPrefix(field, path)
		if begins && (rest == "" || strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "[]")) {
			return true
		}
	}
	return false
}
