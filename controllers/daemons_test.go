package controllers_test

import (
	"context"
	"errors"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// fakeDaemons answer like daemons that apply every configuration at once.
type fakeDaemons struct {
	cluster *cluster

	mu sync.Mutex
	// answer, if set, replaces the answer.
	answer func(ip string, good *config.Status) (*config.Status, error)
}

func (d *fakeDaemons) Status(ctx context.Context, ip string) (*config.Status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	good := d.good(ctx, ip)
	if d.answer != nil {
		return d.answer(ip, good)
	}
	if good == nil {
		return nil, errors.New("connection refused")
	}
	return good, nil
}

func (d *fakeDaemons) set(answer func(ip string, good *config.Status) (*config.Status, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

func (d *fakeDaemons) good(ctx context.Context, ip string) *config.Status {
	var pods corev1.PodList
	if err := admin.List(ctx, &pods, client.InNamespace(d.cluster.namespace)); err != nil {
		return nil
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		if p.Status.PodIP != ip {
			continue
		}
		secret := &corev1.Secret{}
		if err := admin.Get(ctx, d.cluster.key(p.Labels[v1alpha1.ServerLabel]+"-config"), secret); err != nil {
			return nil
		}
		var c config.Config
		if err := yaml.Unmarshal(secret.Data["ftpd.yaml"], &c); err != nil {
			return nil
		}
		ports, _ := config.ParsePortSet(p.Annotations[v1alpha1.PassivePortsAnnotation])
		status := &config.Status{ConfigHash: config.Hash(secret.Data["ftpd.yaml"]), PassivePorts: ports, DataPeer: c.DataPeer()}
		status.AdvertisedIP = c.Passive.AdvertisedAddress
		if own, err := config.ParsePodAddress(p.Annotations[v1alpha1.AdvertisedAddressAnnotation]); err == nil && own.IsValid() {
			status.AdvertisedIP = own.String()
		}
		if strings.ContainsAny(status.AdvertisedIP, "ghijklmnopqrstuvwxyz") {
			status.AdvertisedIP = "198.51.100.7" // a host name resolves to some address
		}
		status.Ready = status.AdvertisedIP != "" && len(ports) > 0
		return status
	}
	return nil
}
