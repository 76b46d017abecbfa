package controllers

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// writeStatus applies the status with the operator's field manager, on condition that the server has not changed
// since it was read: status.pods is the record of the passive ports, and no operator may write it without having seen
// its last state. Conditions of other managers are left alone. Everything else in the status is ours, even if a
// restored backup has made another manager its owner; an apply leaves such fields in place, so the status is then
// replaced.
func (p *pass) writeStatus(ctx context.Context, s v1alpha1.FtpServerStatus) error {
	own, others := splitStatus(s)
	u, err := p.applyStatus(ctx, own)
	// A refusal may name only some of the fields; the next one may name others.
	for range 3 {
		fields := crdschema.Refused(err)
		if len(fields) == 0 || p.CRD == nil || !p.CRD.refuse(fields) {
			break
		}
		log.FromContext(ctx).Error(err, "the API server refuses a part of the status, as if the CustomResourceDefinition were older than the operator: writing it without", "fields", fields)
		u, err = p.applyStatus(ctx, own)
	}
	if err != nil {
		return fmt.Errorf("writing the status of FtpServer %s/%s: %w", p.server.Namespace, p.server.Name, err)
	}
	if err := p.statusWritten(u); err != nil {
		return err
	}
	wanted := p.writable(own)
	if written, _ := splitStatus(p.server.Status); sameStatus(written, wanted) {
		return nil
	}
	wanted.Conditions = append(wanted.Conditions, others...)
	return p.replaceStatus(ctx, wanted)
}

// sameStatus reports whether two statuses are equal. The order of conditions does not count, since conditions of
// other managers may be among ours.
func sameStatus(a, b v1alpha1.FtpServerStatus) bool {
	byType := func(conditions []metav1.Condition) map[string]metav1.Condition {
		m := map[string]metav1.Condition{}
		for _, c := range conditions {
			m[c.Type] = c
		}
		return m
	}
	if !equality.Semantic.DeepEqual(byType(a.Conditions), byType(b.Conditions)) {
		return false
	}
	a.Conditions, b.Conditions = nil, nil
	return equality.Semantic.DeepEqual(a, b)
}

// splitStatus returns the status without the conditions of other managers, and those conditions.
func splitStatus(s v1alpha1.FtpServerStatus) (own v1alpha1.FtpServerStatus, others []metav1.Condition) {
	own = s
	own.Conditions = nil
	for _, c := range s.Conditions {
		if status.Ours(c.Type) {
			own.Conditions = append(own.Conditions, c)
		} else {
			others = append(others, c)
		}
	}
	return own, others
}

// replaceStatus replaces the whole status, whichever managers own its fields.
func (p *pass) replaceStatus(ctx context.Context, whole v1alpha1.FtpServerStatus) error {
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/resourceVersion", "value": p.server.ResourceVersion},
		{"op": "replace", "path": "/status", "value": whole},
	})
	if err != nil {
		return fmt.Errorf("encoding the status: %w", err)
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindServer))
	u.SetNamespace(p.server.Namespace)
	u.SetName(p.server.Name)
	if err := p.Client.Status().Patch(ctx, u, client.RawPatch(types.JSONPatchType, patch), fieldOwner); err != nil {
		return fmt.Errorf("replacing the status of FtpServer %s/%s: %w", p.server.Namespace, p.server.Name, err)
	}
	log.FromContext(ctx).Info("replaced the status, of which others owned parts")
	return p.statusWritten(u)
}

// applyStatus applies the status without the fields that the CustomResourceDefinition lacks.
func (p *pass) applyStatus(ctx context.Context, s v1alpha1.FtpServerStatus) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	if err != nil {
		return nil, fmt.Errorf("encoding the status: %w", err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	crdschema.Prune(u.Object, p.CRD.state().Missing)
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindServer))
	u.SetNamespace(p.server.Namespace)
	u.SetName(p.server.Name)
	u.SetUID(p.server.UID)
	u.SetResourceVersion(p.server.ResourceVersion)
	return u, p.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), fieldOwner, client.ForceOwnership)
}

// writable returns the status reduced to what the CustomResourceDefinition can hold.
func (p *pass) writable(s v1alpha1.FtpServerStatus) v1alpha1.FtpServerStatus {
	missing := p.CRD.state().Missing
	if len(missing) == 0 {
		return s
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	if err != nil {
		return s
	}
	object := map[string]any{"status": content}
	crdschema.Prune(object, missing)
	var pruned v1alpha1.FtpServer
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, &pruned); err != nil {
		return s
	}
	return pruned.Status
}

// statusWritten stores the server as a write of its status returned it.
func (p *pass) statusWritten(u *unstructured.Unstructured) error {
	written := &v1alpha1.FtpServer{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, written); err != nil {
		return fmt.Errorf("decoding FtpServer %s/%s: %w", p.server.Namespace, p.server.Name, err)
	}
	p.server = written
	p.fresh.wrote(kindServer, written)
	p.interests.note(written)
	return nil
}
