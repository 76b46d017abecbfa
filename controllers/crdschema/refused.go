package crdschema

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

var (
	// undeclared matches the fields that the API server names when it refuses an apply because the schema lacks them.
	undeclared = regexp.MustCompile(`\.?([A-Za-z0-9_.\[\]="'-]+): field not declared in schema`)
	// item matches an item of a list, as in pods[name="files-a"] or pods[0].
	item = regexp.MustCompile(`\[[^\]]*\]`)
)

// Refused returns the fields of the status for which the API server refused a write because the schema lacks them or
// does not accept their values; nil if it refused the write for another reason.
func Refused(err error) []string {
	var paths []string
	add := func(path string) {
		path = item.ReplaceAllString(path, "[]")
		if strings.HasPrefix(path, "status.") && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	if err == nil {
		return nil
	}
	for _, found := range undeclared.FindAllStringSubmatch(err.Error(), -1) {
		add(found[1])
	}
	var state apierrors.APIStatus
	if apierrors.IsInvalid(err) && errors.As(err, &state) && state.Status().Details != nil {
		for _, c := range state.Status().Details.Causes {
			add(c.Field)
		}
	}
	return paths
}
