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

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/children"
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
func applyClaim(ctx context.Context, s scope, o *observed, in resources.Inputs, did *applied) (bool, error) {
	desired := resources.PersistentVolumeClaim(in)
	if desired == nil {
		return true, nil
	}
	c := o.claim
	claim, _ := c.Object.(*corev1.PersistentVolumeClaim)
	asked := s.server.Spec.Storage.VolumeClaimTemplate.Spec.Resources.Requests[corev1.ResourceStorage]
	if has, known := claim.Status.Capacity[corev1.ResourceStorage]; c.State == children.Ours && known && asked.Cmp(has) <= 0 {
		if asked.Cmp(has) < 0 {
			did.claimRefusal = status.ClaimRefusal{Reason: status.ReasonClaimLarger, Message: fmt.Sprintf(
				"the volume of PersistentVolumeClaim %s has %s and can't shrink to %s: set %s to %s; it serves as it is",
				claim.Name, has.String(), asked.String(), fieldSize, has.String())}
		}
		// The volume has the requested size. The claim may request more if a growth that did not happen was taken
		// back; the API server would refuse to lower the request to the volume's capacity.
		requests := maps.Clone(*desired.Spec.Resources.Requests)
		requests[corev1.ResourceStorage] = claim.Spec.Resources.Requests[corev1.ResourceStorage]
		desired.Spec.Resources.WithRequests(requests)
	}
	result, err := s.children.Ensure(ctx, s.server, c, desired)
	if err == nil && len(result.Problems) > 0 {
		problem := &result.Problems[0]
		switch {
		case c.State == children.Foreign && neverBound(claim) && metav1.GetControllerOf(claim) == nil:
			problem.Message = deleteIt(claim) + ": " + problem.Message
		case c.State != children.Ours || strings.Contains(problem.Message, "exceeded quota"):
		default:
			if refusal := refusalOf(s.server, claim, asked, problem.Message); refusal.Reason != "" {
				did.claimRefusal = refusal
				result.Problems = slices.Delete(result.Problems, 0, 1)
			}
		}
	}
	did.addResult(result)
	return result.Exists, err
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
func refusalOf(server *v1alpha1.FtpServer, claim *corev1.PersistentVolumeClaim, asked resource.Quantity, why string) status.ClaimRefusal {
	differ := differences(server.Spec.Storage.VolumeClaimTemplate.Spec, claim.Spec)
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

// observeStorage returns what the status reports about the claim, whether the operator created it or the spec names it.
// It returns the zero value for an emptyDir.
func observeStorage(ctx context.Context, s scope, o *observed, refusal status.ClaimRefusal) (status.Storage, error) {
	c := o.claim
	if c == nil {
		return status.Storage{}, nil
	}
	claim, _ := c.Object.(*corev1.PersistentVolumeClaim)
	seen := status.Storage{
		Claim:       claim.Name,
		Ours:        s.server.Spec.Storage.VolumeClaimTemplate != nil,
		Found:       claim.UID != "",
		Phase:       string(claim.Status.Phase),
		Terminating: claim.DeletionTimestamp != nil,
		Refusal:     refusal,
	}
	if template := s.server.Spec.Storage.VolumeClaimTemplate; template != nil && infeasible(claim) && seen.Refusal.Reason == "" {
		has, asked := claim.Status.Capacity[corev1.ResourceStorage], template.Spec.Resources.Requests[corev1.ResourceStorage]
		if asked.Cmp(has) > 0 {
			seen.Refusal = status.ClaimRefusal{Reason: status.ReasonClaimGrowthRefused, Message: fmt.Sprintf(
				"the volume of PersistentVolumeClaim %s can't grow from %s to %s, as its storage says: set %s back to %s",
				claim.Name, has.String(), asked.String(), fieldSize, has.String())}
		}
	}
	if !seen.Found || seen.Phase == string(corev1.ClaimBound) || seen.Phase == string(corev1.ClaimLost) {
		return seen, nil
	}
	var err error
	seen.Class, err = storageClass(ctx, s, claim)
	return seen, err
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
func storageClass(ctx context.Context, s scope, claim *corev1.PersistentVolumeClaim) (status.StorageClass, error) {
	seen := status.StorageClass{Static: claim.Spec.VolumeName != ""}
	if claim.Spec.StorageClassName == nil { // the API server would have filled in the default class
		seen.Known = true
		return seen, nil
	}
	seen.Name = *claim.Spec.StorageClassName
	if seen.Name == "" {
		seen.Known, seen.Static = true, true
		return seen, nil
	}
	class := &storagev1.StorageClass{}
	err := s.Live.Get(ctx, types.NamespacedName{Name: seen.Name}, class)
	switch {
	case apierrors.IsForbidden(err):
		return seen, nil
	case apierrors.IsNotFound(err):
		seen.Known = true
		return seen, nil
	case err != nil:
		return seen, fmt.Errorf("reading StorageClass %s: %w", seen.Name, err)
	}
	seen.Known, seen.Found, seen.Provisioner = true, true, class.Provisioner
	seen.WaitsForPod = class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
	return seen, nil
}
