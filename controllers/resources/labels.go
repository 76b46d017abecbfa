package resources

import (
	"maps"
	"strings"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// ownPrefix is the prefix of the labels and annotations that only the operator sets.
const ownPrefix = "ftp-operator.io/"

// SelectorLabels returns the labels that select the server's pods and its other children.
func SelectorLabels(server *v1alpha1.FtpServer) map[string]string {
	return map[string]string{v1alpha1.ServerLabel: server.Name}
}

// Labels returns the labels of every child and pod.
func Labels(server *v1alpha1.FtpServer) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name":       "ftpd",
		"app.kubernetes.io/instance":   server.Name,
		"app.kubernetes.io/component":  "server",
		"app.kubernetes.io/managed-by": "ftp-operator",
		v1alpha1.ServerLabel:           server.Name,
	}
}

// userLabels returns the user's labels and ours. Ours take precedence, since selectors rely on them.
func userLabels(server *v1alpha1.FtpServer, user map[string]string) map[string]string {
	labels := userAnnotations(user)
	maps.Copy(labels, Labels(server))
	return labels
}

// userAnnotations returns the user's annotations without those that only the operator sets: passive ports in the pod
// template would be given to every pod.
func userAnnotations(user map[string]string) map[string]string {
	kept := make(map[string]string, len(user))
	for key, value := range user {
		if !strings.HasPrefix(key, ownPrefix) {
			kept[key] = value
		}
	}
	return kept
}
