// Package policy restricts what FtpServers may request, as the cluster's administrator decides. It is pure.
//
// The right to create FtpServers is nearly the right to create pods: see docs/security.md.
package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// Policy restricts FtpServers. The zero value restricts nothing.
type Policy struct {
	// Images are the patterns of the images that spec.image may name, besides the operator's own: see MatchImage. nil
	// means any image.
	Images []string
	// PriorityClasses are the names that spec.template.priorityClassName may have; nil means any.
	PriorityClasses []string
	// RequireSecretLabel is true if the Secrets that an FtpServer names must carry the label
	// ftp-operator.io/allow-ftpservers=true.
	RequireSecretLabel bool
}

// Refusal is a field that the policy refuses.
type Refusal struct {
	// Field is the path of the field, as in "spec.image".
	Field string
	// Message says what is refused and what to do.
	Message string
}

// Check returns what the policy refuses of a server. own is the operator's default image of the daemon.
func (p Policy) Check(server *v1alpha1.FtpServer, own string) []Refusal {
	var refused []Refusal
	if image := server.Spec.Image; p.Images != nil && image != "" && image != own &&
		!slices.ContainsFunc(p.Images, func(pattern string) bool { return MatchImage(pattern, image) }) {
		refused = append(refused, Refusal{"spec.image", fmt.Sprintf("the image %s is not allowed by the operator's administrator (--allowed-images): "+
			"remove spec.image, which runs the operator's own, or %s", quoted(image), choose(p.Images))})
	}
	if class := server.Spec.Template.PriorityClassName; p.PriorityClasses != nil && class != "" && !slices.Contains(p.PriorityClasses, class) {
		refused = append(refused, Refusal{"spec.template.priorityClassName", fmt.Sprintf("the priority class %s is not allowed by the operator's "+
			"administrator (--allowed-priority-classes): remove spec.template.priorityClassName, or %s", quoted(class), choose(p.PriorityClasses))})
	}
	return refused
}

// AllowsSecret reports whether FtpServers may use a Secret that has these labels.
func (p Policy) AllowsSecret(labels map[string]string) bool {
	return !p.RequireSecretLabel || labels[v1alpha1.AllowLabel] == "true"
}

// MatchImage reports whether an image matches a pattern, in which * stands for any characters except /, as in
// registry.example.com/ftp-operator:* or registry.example.com/team/*@sha256:*.
func MatchImage(pattern, image string) bool {
	matches, err := path.Match(pattern, image)
	return err == nil && matches
}

// CheckPattern returns an error if a pattern of images is invalid.
func CheckPattern(pattern string) error {
	if pattern == "" || strings.ContainsAny(pattern, " \t\\[]?") {
		return fmt.Errorf("%q is no pattern of images: write it as in registry.example.com/ftp-operator:*, where * stands for any characters but /", pattern)
	}
	return nil
}

func choose(allowed []string) string {
	const most = 5
	switch n := len(allowed); {
	case n == 0:
		return "ask for it to be allowed"
	case n <= most:
		return "choose one of " + strings.Join(allowed, ", ")
	default:
		return fmt.Sprintf("choose one of %s and %d more", strings.Join(allowed[:most], ", "), n-most)
	}
}

// quoted quotes a text of the spec for a message; it cuts the text after 200 bytes.
func quoted(text string) string {
	const most = 200
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}
