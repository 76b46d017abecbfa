package resources_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/resources"
)

// A claim that stays has no instance label and has the option that forbids pruning: Argo CD before 3.0 takes objects
// with that label and without an owner for its own.
func TestRetainedClaimIsNobodys(t *testing.T) {
	for _, one := range []struct {
		retention v1alpha1.RetentionPolicy
		options   string // the user's options
		instance  bool
		want      string
	}{
		{"", "", false, "Prune=false"},
		{v1alpha1.RetentionRetain, "", false, "Prune=false"},
		{v1alpha1.RetentionRetain, "ServerSideApply=true", false, "ServerSideApply=true,Prune=false"},
		{v1alpha1.RetentionRetain, "Prune=confirm", false, "Prune=confirm"},
		{v1alpha1.RetentionDelete, "", true, ""},
	} {
		server := &v1alpha1.FtpServer{}
		server.Name = "files"
		template := &v1alpha1.VolumeClaimTemplate{WhenDeleted: one.retention, Spec: corev1.PersistentVolumeClaimSpec{}}
		template.Metadata.Labels = map[string]string{"app.kubernetes.io/instance": "users"}
		if one.options != "" {
			template.Metadata.Annotations = map[string]string{"argocd.argoproj.io/sync-options": one.options}
		}
		server.Spec.Storage.VolumeClaimTemplate = template
		claim := resources.PersistentVolumeClaim(resources.Inputs{Server: server})
		_, instance := claim.Labels["app.kubernetes.io/instance"]
		if got := claim.Annotations["argocd.argoproj.io/sync-options"]; instance != one.instance || got != one.want {
			t.Errorf("%+v: instance label %v, sync options %q", one, instance, got)
		}
		if claim.Labels[v1alpha1.ServerLabel] != "files" {
			t.Errorf("%+v: labels %v: a new server of that name would not find it", one, claim.Labels)
		}
	}
}
