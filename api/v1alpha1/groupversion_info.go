// Package v1alpha1 is version v1alpha1 of the API group ftp-operator.io.
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +groupName=ftp-operator.io
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of the types in this package.
var GroupVersion = schema.GroupVersion{Group: "ftp-operator.io", Version: "v1alpha1"}

// SchemeGroupVersion is GroupVersion under the name that the generated apply configurations use.
var SchemeGroupVersion = GroupVersion

// AddToScheme adds the types of this package to a scheme.
var AddToScheme = (&runtime.SchemeBuilder{func(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &FtpServer{}, &FtpServerList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}}).AddToScheme
