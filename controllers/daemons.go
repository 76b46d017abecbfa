package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ftp-operator/ftp-operator/controllers/resources"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Daemons asks daemons for their report on themselves.
type Daemons interface {
	// Status asks the daemon of the pod with that IP address.
	Status(ctx context.Context, ip string) (*config.Status, error)
}

const (
	// askTimeout bounds one question, and askAllTimeout those of one pass.
	askTimeout    = time.Second
	askAllTimeout = 3 * time.Second
	// askAtOnce bounds the questions of one pass that are under way.
	askAtOnce = 16
	// giveUp is for how long a pod may leave questions unanswered before it counts as out of reach.
	giveUp = 5 * time.Second
	// silence is how long a pod that is out of reach and let a question time out is not asked again.
	silence = 20 * time.Second
	// maxReport bounds a report, in bytes; what answers need not be our daemon.
	maxReport = 64 << 10
	// maxReportText bounds each text in a report, in bytes. Reports are remembered.
	maxReportText = 1 << 10
)

// HTTPDaemons asks over HTTP, at the daemon's admin port.
type HTTPDaemons struct {
	client *http.Client
	port   int
}

// NewHTTPDaemons returns one that uses no proxy, follows no redirect and keeps no connection.
func NewHTTPDaemons() *HTTPDaemons {
	return &HTTPDaemons{
		port: resources.AdminPort,
		client: &http.Client{
			Timeout:       askTimeout,
			Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Status implements Daemons.
func (d *HTTPDaemons) Status(ctx context.Context, ip string) (*config.Status, error) {
	url := "http://" + net.JoinHostPort(ip, strconv.Itoa(d.port)) + "/status"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := d.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s answers %s", url, response.Status)
	}
	var report config.Status
	if err := json.NewDecoder(io.LimitReader(response.Body, maxReport)).Decode(&report); err != nil {
		return nil, fmt.Errorf("GET %s does not answer with a daemon's status: %w", url, err)
	}
	for _, text := range []*string{
		&report.Reason, &report.ConfigHash, &report.RejectedHash, &report.ConfigError, &report.AdvertisedIP, &report.AddressError,
		&report.CertificateError, &report.PodAddressError, (*string)(&report.DataPeer),
	} {
		if len(*text) > maxReportText {
			*text = strings.ToValidUTF8(strings.Clone((*text)[:maxReportText]), "") + "…"
		}
	}
	return &report, nil
}
