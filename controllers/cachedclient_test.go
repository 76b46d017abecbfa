package controllers_test

import (
	"context"
	"fmt"
	"reflect"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/ftp-operator/ftp-operator/controllers/caches"
)

// cachedClient reads live objects the way the manager's cache would return them: an object that the cache's label
// selectors exclude is not found, and the others go through the cache's transforms. So a test that drives the
// reconciler pass by pass fails if the cache drops fields that the reconciler reads.
type cachedClient struct {
	client.Client
	kinds map[schema.GroupVersionKind]cache.ByObject
}

// likeCache returns a client whose reads return what the manager's cache would.
func likeCache(live client.Client) *cachedClient {
	c := &cachedClient{Client: live, kinds: map[schema.GroupVersionKind]cache.ByObject{}}
	for object, options := range caches.Options(nil).ByObject {
		gvk, err := apiutil.GVKForObject(object, scheme)
		Expect(err).NotTo(HaveOccurred())
		c.kinds[gvk] = options
	}
	return c
}

// hold returns the object as the cache would hold it; nil if the cache would not hold it.
func (c *cachedClient) hold(object client.Object) (client.Object, error) {
	gvk, err := apiutil.GVKForObject(object, scheme)
	if err != nil {
		return nil, err
	}
	options := c.kinds[gvk]
	if options.Label != nil && !options.Label.Matches(labels.Set(object.GetLabels())) {
		return nil, nil
	}
	if options.Transform == nil {
		return object, nil
	}
	slim, err := options.Transform(object)
	if err != nil {
		return nil, err
	}
	held, ok := slim.(client.Object)
	if !ok {
		return nil, fmt.Errorf("the cache's transform makes a %T of a %s", slim, gvk.Kind)
	}
	return held, nil
}

func (c *cachedClient) Get(ctx context.Context, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
	read, ok := into.DeepCopyObject().(client.Object)
	if !ok {
		return fmt.Errorf("%T is no object", into)
	}
	if err := c.Client.Get(ctx, key, read, options...); err != nil {
		return err
	}
	held, err := c.hold(read)
	if err != nil {
		return err
	}
	if held == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: fmt.Sprintf("%T", into)}, key.Name)
	}
	return assign(into, held)
}

func (c *cachedClient) List(ctx context.Context, into client.ObjectList, options ...client.ListOption) error {
	if err := c.Client.List(ctx, into, options...); err != nil {
		return err
	}
	read, err := meta.ExtractList(into)
	if err != nil {
		return err
	}
	kept := read[:0]
	for _, item := range read {
		object, ok := item.(client.Object)
		if !ok {
			return fmt.Errorf("%T is no object", item)
		}
		held, err := c.hold(object)
		if err != nil {
			return err
		}
		if held != nil {
			kept = append(kept, held)
		}
	}
	return meta.SetList(into, kept)
}

// assign copies an object into another one of its type.
func assign(into, from client.Object) error {
	to, what := reflect.ValueOf(into).Elem(), reflect.ValueOf(from).Elem()
	if to.Type() != what.Type() {
		return fmt.Errorf("the cache holds a %T, and a %T is read", from, into)
	}
	to.Set(what)
	return nil
}
