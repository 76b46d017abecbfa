package daemonclient

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

// Client asks daemons for their status reports.
type Client interface {
	// Status asks the daemon of the pod with that IP address.
	Status(ctx context.Context, ip string) (*config.Status, error)
}

const (
	// askTimeout bounds one request, and askAllTimeout all requests of one poll.
	askTimeout    = time.Second
	askAllTimeout = 3 * time.Second
	// askAtOnce bounds the concurrent requests of one poll.
	askAtOnce = 16
	// giveUp is the time for which a pod may leave requests unanswered before it counts as out of reach.
	giveUp = 5 * time.Second
	// silence is the time for which a pod that is out of reach, and whose last request timed out, is not asked again.
	silence = 20 * time.Second
	// maxReport bounds a report, in bytes, since what answers need not be our daemon.
	maxReport = 64 << 10
	// maxReportText bounds each text in a report, in bytes, since reports are kept in memory.
	maxReportText = 1 << 10
)

// HTTP asks daemons over HTTP, on their admin ports.
type HTTP struct {
	client *http.Client
	port   int
}

// NewHTTP returns an HTTP that uses no proxy, follows no redirect and keeps no connection open.
func NewHTTP() *HTTP {
	return &HTTP{
		port: resources.AdminPort,
		client: &http.Client{
			Timeout:       askTimeout,
			Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Status implements Client.
func (d *HTTP) Status(ctx context.Context, ip string) (*config.Status, error) {
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
