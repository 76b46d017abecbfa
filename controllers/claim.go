package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// fieldSize is the size that the spec asks for.
const fieldSize = "spec.storage.volumeClaimTemplate.spec.resources.requests.storage"

// applyClaim applies the claim of spec.storage.volumeClaimTemplate, and reports whether there is one to mount.
//
// What of a claim may change depends on the volume and its class, so the API server decides: the FtpServer's own
// validation would make a trap of a growth that the class refuses, for there would be no way back. A claim is
// never asked to be smaller than its volume is, and one that holds files stays as it is.
func (p *pass) applyClaim(ctx context.Context) (bool, error) {
	desired := resources.PersistentVolumeClaim(p.inputs)
	if desired == nil {
		return true, nil
	}
	c := p.observed.claim
	claim, _ := c.object.(*corev1.PersistentVolumeClaim)
	asked := p.server.Spec.Storage.VolumeClaimTemplate.Spec.Resources.Requests[corev1.ResourceStorage]
	if has, known := claim.Status.Capacity[corev1.ResourceStorage]; c.state == ours && known && asked.Cmp(has) <= 0 {
		if asked.Cmp(has) < 0 {
			p.claimRefusal = status.ClaimRefusal{Reason: status.ReasonClaimLarger, Message: fmt.Sprintf(
				"the volume of PersistentVolumeClaim %s has %s and can't shrink to %s: set %s to %s; it serves as it is",
				claim.Name, has.String(), asked.String(), fieldSize, has.String())}
		}
		// The volume has what is asked for. The claim may ask for more, if a growth was taken back that did not come
		// about; the API server would not have it ask for as little as the volume has.
		requests := maps.Clone(*desired.Spec.Resources.Requests)
		requests[corev1.ResourceStorage] = claim.Spec.Resources.Requests[corev1.ResourceStorage]
		desired.Spec.Resources.WithRequests(requests)
	}
	before := len(p.problems)
	stored, err := p.ensure(ctx, c, desired)
	if err != nil || len(p.problems) == before {
		return stored, err
	}
	problem := &p.problems[before]
	switch {
	case c.state == foreign && neverBound(claim) && metav1.GetControllerOf(claim) == nil:
		problem.Message = deleteIt(claim) + ": " + problem.Message
	case c.state != ours || strings.Contains(problem.Message, "exceeded quota"):
	default:
		if refusal := p.refusalOf(claim, asked, problem.Message); refusal.Reason != "" {
			p.claimRefusal = refusal
			p.problems = slices.Delete(p.problems, before, before+1)
		}
	}
	return stored, nil
}

// neverBound reports whether the claim has had no volume yet, and so holds nothing.
func neverBound(claim *corev1.PersistentVolumeClaim) bool {
	return claim.UID != "" && claim.Spec.VolumeName == "" && (claim.Status.Phase == "" || claim.Status.Phase == corev1.ClaimPending)
}

func deleteIt(claim *corev1.PersistentVolumeClaim) string {
	return fmt.Sprintf("delete PersistentVolumeClaim %s, it holds nothing, for it was never bound (`kubectl delete pvc -n %s %s`)",
		claim.Name, claim.Namespace, claim.Name)
}

// refusalOf says what to do about a claim of ours that the API server would not change.
func (p *pass) refusalOf(claim *corev1.PersistentVolumeClaim, asked resource.Quantity, why string) status.ClaimRefusal {
	differ := differences(p.server.Spec.Storage.VolumeClaimTemplate.Spec, claim.Spec)
	has := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	switch {
	case neverBound(claim) && (len(differ) > 0 || asked.Cmp(has) != 0):
		if len(differ) == 0 {
			differ = []string{"the size: " + has.String() + " and not " + asked.String()}
		}
		return status.ClaimRefusal{Reason: status.ReasonClaimLeftOver, Message: fmt.Sprintf(
			"%s: it differs from spec.storage.volumeClaimTemplate in %s, and the operator makes it again as that says", deleteIt(claim), strings.Join(differ, ", "))}
	case len(differ) > 0:
		return status.ClaimRefusal{Reason: status.ReasonClaimImmutable, Message: fmt.Sprintf(
			"PersistentVolumeClaim %s holds files and can't change in %s: set that back in spec.storage.volumeClaimTemplate, or move the files to another claim and name it in spec.storage.persistentVolumeClaim",
			claim.Name, strings.Join(differ, ", "))}
	case asked.Cmp(has) > 0:
		return status.ClaimRefusal{Reason: status.ReasonClaimGrowthRefused, Message: fmt.Sprintf(
			"PersistentVolumeClaim %s can't grow from %s to %s: set %s back to %s, or have its StorageClass allow it (allowVolumeExpansion: true); %s",
			claim.Name, has.String(), asked.String(), fieldSize, has.String(), why)}
	case asked.Cmp(has) < 0:
		return status.ClaimRefusal{Reason: status.ReasonClaimLarger, Message: fmt.Sprintf(
			"PersistentVolumeClaim %s asks for %s already, which can't be taken back: set %s to %s; it serves as it is", claim.Name, has.String(), fieldSize, has.String())}
	}
	return status.ClaimRefusal{}
}

// differences names what of a claim can't be changed and is not as declared. What is not declared, the cluster
// may have filled in.
func differences(want, is corev1.PersistentVolumeClaimSpec) []string {
	var names []string
	text := func(s *string) string {
		if s == nil {
			return "none"
		}
		return fmt.Sprintf("%q", *s)
	}
	if want.StorageClassName != nil && !equality.Semantic.DeepEqual(want.StorageClassName, is.StorageClassName) {
		names = append(names, fmt.Sprintf("storageClassName: %s and not %s", text(is.StorageClassName), text(want.StorageClassName)))
	}
	if !equality.Semantic.DeepEqual(want.AccessModes, is.AccessModes) {
		names = append(names, fmt.Sprintf("accessModes: %v and not %v", is.AccessModes, want.AccessModes))
	}
	if want.VolumeName != "" && want.VolumeName != is.VolumeName {
		names = append(names, fmt.Sprintf("volumeName: %q and not %q", is.VolumeName, want.VolumeName))
	}
	if want.VolumeMode != nil && is.VolumeMode != nil && *want.VolumeMode != *is.VolumeMode {
		names = append(names, "volumeMode")
	}
	if want.Selector != nil && !equality.Semantic.DeepEqual(want.Selector, is.Selector) {
		names = append(names, "selector")
	}
	if want.DataSource != nil && !equality.Semantic.DeepEqual(want.DataSource, is.DataSource) {
		names = append(names, "dataSource")
	}
	if want.DataSourceRef != nil && !equality.Semantic.DeepEqual(want.DataSourceRef, is.DataSourceRef) {
		names = append(names, "dataSourceRef")
	}
	return names
}

// storage tells of the claim, of either kind; of an emptyDir there is nothing to tell.
func (p *pass) storage(ctx context.Context) (status.Storage, error) {
	c := p.observed.claim
	if c == nil {
		return status.Storage{}, nil
	}
	claim, _ := c.object.(*corev1.PersistentVolumeClaim)
	s := status.Storage{
		Claim:       claim.Name,
		Ours:        p.server.Spec.Storage.VolumeClaimTemplate != nil,
		Found:       claim.UID != "",
		Phase:       string(claim.Status.Phase),
		Terminating: claim.DeletionTimestamp != nil,
		Refusal:     p.claimRefusal,
	}
	if template := p.server.Spec.Storage.VolumeClaimTemplate; template != nil && infeasible(claim) && s.Refusal.Reason == "" {
		has, asked := claim.Status.Capacity[corev1.ResourceStorage], template.Spec.Resources.Requests[corev1.ResourceStorage]
		if asked.Cmp(has) > 0 {
			s.Refusal = status.ClaimRefusal{Reason: status.ReasonClaimGrowthRefused, Message: fmt.Sprintf(
				"the volume of PersistentVolumeClaim %s can't grow from %s to %s, as its storage says: set %s back to %s",
				claim.Name, has.String(), asked.String(), fieldSize, has.String())}
		}
	}
	if !s.Found || s.Phase == string(corev1.ClaimBound) || s.Phase == string(corev1.ClaimLost) {
		return s, nil
	}
	var err error
	s.Class, err = p.storageClass(ctx, claim)
	return s, err
}

// infeasible reports whether the storage has refused for good to make the volume as large as the claim asks.
func infeasible(claim *corev1.PersistentVolumeClaim) bool {
	switch claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] {
	case corev1.PersistentVolumeClaimControllerResizeInfeasible, corev1.PersistentVolumeClaimNodeResizeInfeasible:
		return true
	}
	return false
}

// storageClass looks up the class of a claim that waits for its volume.
func (p *pass) storageClass(ctx context.Context, claim *corev1.PersistentVolumeClaim) (status.StorageClass, error) {
	s := status.StorageClass{Static: claim.Spec.VolumeName != ""}
	if claim.Spec.StorageClassName == nil { // the API server would have filled in the default one
		s.Known = true
		return s, nil
	}
	s.Name = *claim.Spec.StorageClassName
	if s.Name == "" {
		s.Known, s.Static = true, true
		return s, nil
	}
	class := &storagev1.StorageClass{}
	err := p.Live.Get(ctx, types.NamespacedName{Name: s.Name}, class)
	switch {
	case apierrors.IsForbidden(err):
		return s, nil
	case apierrors.IsNotFound(err):
		s.Known = true
		return s, nil
	case err != nil:
		return s, fmt.Errorf("reading StorageClass %s: %w", s.Name, err)
	}
	s.Known, s.Found, s.Provisioner = true, true, class.Provisioner
	s.WaitsForPod = class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
	return s, nil
}
