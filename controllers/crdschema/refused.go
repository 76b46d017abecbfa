package crdschema

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

var (
	// undeclared finds the fields in the API server's refusal of an apply that has fields which the schema lacks.
	undeclared = regexp.MustCompile(`\.?([A-Za-z0-9_.\[\]="'-]+): field not declared in schema`)
	// item is a list's item, as in pods[name="files-a"] or pods[0].
	item = regexp.MustCompile(`\[[^\]]*\]`)
)

// Refused are the fields of the status for which the API server refused a write, since the schema does not have them or does not
// take their values; none if it was refused for something else.
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
