package crdschema

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// crdInterval is the time between two checks of the CustomResourceDefinition.
const crdInterval = 30 * time.Second

// schemaKind is the kind whose schema is read, and schemaPath the path of the API server's OpenAPI document for its API
// group and version.
const schemaKind = "FtpServer"

var schemaPath = "/openapi/v3/apis/" + v1alpha1.GroupVersion.String()

// CRD knows which fields that this operator reads and writes the CustomResourceDefinition in the cluster lacks, as
// happens if the operator was upgraded and the CRD was not. It reads the API server's OpenAPI document, which every
// service account may read, so it needs no permission on CRDs.
type CRD struct {
	client rest.Interface

	mu sync.Mutex
	// read is the digest of the document that was read last; zero before the first read.
	read [sha256.Size]byte
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
	return &CRD{client: d.RESTClient()}, nil
}

// Check reads the schema.
//
// It reads the whole document each time. The list of documents (/openapi/v3) names a hash for each, but the API server
// may serve a newer document than the one that it listed, so the hash does not tell which document was read.
func (c *CRD) Check(ctx context.Context) {
	text, err := c.client.Get().AbsPath(schemaPath).SetHeader("Accept", "application/json").DoRaw(ctx)
	var missing []string
	if err == nil {
		missing, err = missingFields(text)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("reading %s: %w", schemaPath, err)
		if c.err == nil {
			log.FromContext(ctx).Error(err, "can't see whether the CustomResourceDefinition is as new as the operator")
		}
		c.err = err // what was known stays
		return
	}
	c.err = nil
	digest := sha256.Sum256(text)
	if digest == c.read {
		return // what was refused since the first read of this document stays
	}
	was := c.lacking()
	c.read, c.missing, c.refused = digest, missing, nil
	switch {
	case len(missing) > 0:
		log.FromContext(ctx).Error(c.outdated(), "the CustomResourceDefinition is older than the operator")
	case len(was) > 0:
		log.FromContext(ctx).Info("the CustomResourceDefinition is as new as the operator now")
	}
}

// missingFields returns the fields that the FtpServer schema of an OpenAPI document lacks.
func missingFields(document []byte) ([]string, error) {
	var openAPI struct {
		Components struct {
			Schemas map[string]map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(document, &openAPI); err != nil {
		return nil, err
	}
	for name, schema := range openAPI.Components.Schemas {
		if strings.HasSuffix(name, "."+schemaKind) {
			return Missing(v1alpha1.FtpServer{}, schema, "spec", "status"), nil
		}
	}
	return nil, fmt.Errorf("it has no %s", schemaKind)
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

// State returns what is known now; the zero value for a nil CRD.
func (c *CRD) State() status.CRD {
	if c == nil {
		return status.CRD{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := status.CRD{Known: c.read != [sha256.Size]byte{}, Missing: c.lacking()}
	if c.err != nil {
		known.Error = c.err.Error()
	}
	return known
}

// Refuse records fields that the API server has refused, and reports whether one of them is new.
func (c *CRD) Refuse(fields []string) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range fields {
		if !slices.Contains(c.missing, f) && !slices.Contains(c.refused, f) {
			c.refused, news = append(c.refused, f), true
		}
	}
	return news
}
