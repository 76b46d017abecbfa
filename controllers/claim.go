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

// fieldSize is the path of the field with the requested size of the claim.
const fieldSize = "spec.storage.volumeClaimTemplate.spec.resources.requests.storage"

// applyClaim applies the claim of spec.storage.volumeClaimTemplate, and reports whether there is a claim to mount.
//
// Which fields of a claim may change depends on the volume and its class, so the API server decides. If the
// FtpServer's own validation allowed a claim to grow but never to shrink, a size that the class refuses could not be
// taken back. A claim never requests less than its volume's capacity, and a claim that holds files stays as it is.
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
		// The volume has the requested size. The claim may request more if a growth that did not happen was taken
		// back; the API server would refuse to lower the request to the volume's capacity.
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

// neverBound reports whether the claim exists and has never had a volume, and so holds nothing.
func neverBound(claim *corev1.PersistentVolumeClaim) bool {
	return claim.UID != "" && claim.Spec.VolumeName == "" && (claim.Status.Phase == "" || claim.Status.Phase == corev1.ClaimPending)
}

func deleteIt(claim *corev1.PersistentVolumeClaim) string {
	return fmt.Sprintf("delete PersistentVolumeClaim %s, it holds nothing, for it was never bound (`kubectl delete pvc -n %s %s`)",
		claim.Name, claim.Namespace, claim.Name)
}

// refusalOf returns what to do about a claim of ours that the API server refused to change.
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

// differences lists the immutable fields of a claim that are not as declared. Fields that are not declared are
// skipped: the cluster may have filled them in.
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

// storage returns what the status reports about the claim, whether the operator created it or the spec names it. It
// returns the zero value for an emptyDir.
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

// infeasible reports whether the storage has refused for good to make the volume as large as the claim requests.
func infeasible(claim *corev1.PersistentVolumeClaim) bool {
	switch claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] {
	case corev1.PersistentVolumeClaimControllerResizeInfeasible, corev1.PersistentVolumeClaimNodeResizeInfeasible:
		return true
	}
	return false
}

// storageClass looks up the class of a claim that has no volume yet.
func (p *pass) storageClass(ctx context.Context, claim *corev1.PersistentVolumeClaim) (status.StorageClass, error) {
	s := status.StorageClass{Static: claim.Spec.VolumeName != ""}
	if claim.Spec.StorageClassName == nil { // the API server would have filled in the default class
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
