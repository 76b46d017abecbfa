package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/crdschema"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// crdInterval is the time between two checks of the CustomResourceDefinition.
const crdInterval = 30 * time.Second

// CRD knows which fields that this operator reads and writes the CustomResourceDefinition in the cluster lacks, as
// happens if the operator was upgraded and the CRD was not. It reads the API server's OpenAPI document, which every
// service account may read, so it needs no permission on CRDs.
type CRD struct {
	client openapi.ClientWithContext

	mu sync.Mutex
	// at is the URL of the schema that was read, which changes with the schema; empty before the first read.
	at string
	// missing are the fields that the schema lacks; refused are further fields that the API server refused in our
	// writes.
	missing, refused []string
	err              error
}

// NewCRD returns a CRD that asks the API server of config.
func NewCRD(config *rest.Config) (*CRD, error) {
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the API server: %w", err)
	}
	return &CRD{client: d.OpenAPIV3WithContext(context.Background())}, nil
}

// Check reads the schema if it has changed since the last time.
func (c *CRD) Check(ctx context.Context) {
	at, missing, err := c.read(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if c.err == nil {
			log.FromContext(ctx).Error(err, "can't see whether the CustomResourceDefinition is as new as the operator")
		}
		c.err = err // what was known stays
		return
	}
	c.err = nil
	if at == c.at {
		return
	}
	was := c.lacking()
	c.at, c.missing, c.refused = at, missing, nil
	switch {
	case len(missing) > 0:
		log.FromContext(ctx).Error(c.outdated(), "the CustomResourceDefinition is older than the operator")
	case len(was) > 0:
		log.FromContext(ctx).Info("the CustomResourceDefinition is as new as the operator now")
	}
}

// read returns the schema's URL and the fields that it lacks; missing is nil if the schema was read from that URL
// before.
func (c *CRD) read(ctx context.Context) (at string, missing []string, err error) {
	paths, err := c.client.PathsWithContext(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("reading /openapi/v3: %w", err)
	}
	path := "apis/" + v1alpha1.GroupVersion.String()
	version, found := paths[path]
	if !found {
		return "", nil, fmt.Errorf("/openapi/v3 does not have %s", path)
	}
	at = version.ServerRelativeURL()
	c.mu.Lock()
	same := at == c.at
	c.mu.Unlock()
	if same {
		return at, nil, nil
	}
	text, err := version.SchemaWithContext(ctx, runtime.ContentTypeJSON)
	if err != nil {
		return "", nil, fmt.Errorf("reading /openapi/v3/%s: %w", path, err)
	}
	var document struct {
		Components struct {
			Schemas map[string]map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return "", nil, fmt.Errorf("reading /openapi/v3/%s: %w", path, err)
	}
	for name, schema := range document.Components.Schemas {
		if strings.HasSuffix(name, "."+kindServer) {
			return at, crdschema.Missing(v1alpha1.FtpServer{}, schema, "spec", "status"), nil
		}
	}
	return "", nil, fmt.Errorf("/openapi/v3/%s has no %s", path, kindServer)
}

// Start checks the schema every crdInterval until ctx ends, so that an upgrade of the CRD is noticed without a
// restart.
func (c *CRD) Start(ctx context.Context) error {
	ticker := time.NewTicker(crdInterval)
	defer ticker.Stop()
	for {
		c.Check(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// NeedLeaderElection returns false: every operator checks the CRD, since each reports whether it is ready.
func (c *CRD) NeedLeaderElection() bool { return false }

// Ready is a check for /readyz: it fails while the CRD is older than the operator. A rollout of the operator stops
// there, and the former operator, if there is one, goes on working.
func (c *CRD) Ready(*http.Request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outdated()
}

func (c *CRD) outdated() error {
	if lacking := c.lacking(); len(lacking) > 0 {
		return errors.New(status.CRD{Missing: lacking}.Message())
	}
	return nil
}

func (c *CRD) lacking() []string { return append(slices.Clone(c.missing), c.refused...) }

// state returns what is known now; the zero value for a nil CRD.
func (c *CRD) state() status.CRD {
	if c == nil {
		return status.CRD{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := status.CRD{Known: c.at != "", Missing: c.lacking()}
	if c.err != nil {
		known.Error = c.err.Error()
	}
	return known
}

// refuse records fields that the API server has refused, and reports whether one of them is new.
func (c *CRD) refuse(fields []string) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range fields {
		if !slices.Contains(c.missing, f) && !slices.Contains(c.refused, f) {
			c.refused, news = append(c.refused, f), true
		}
	}
	return news
}
