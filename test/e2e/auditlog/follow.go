package auditlog

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/test/e2e/load"
)

// every is the interval at which the Follower looks for new pods.
const every = 200 * time.Millisecond

// Follower reads the logs of a server's pods while they are written, so that the logs of pods that are gone are not
// lost.
type Follower struct {
	clientset kubernetes.Interface
	namespace string
	selector  string
	cancel    context.CancelFunc
	running   sync.WaitGroup

	mu   sync.Mutex
	logs map[container]*load.PodLog
	err  error
}

// container is one run of a daemon.
type container struct {
	pod      string
	restarts int32
}

// Follow starts to follow the pods that the selector matches, from the first line of each, until Stop is called.
func Follow(ctx context.Context, clientset kubernetes.Interface, namespace, selector string) *Follower {
	ctx, cancel := context.WithCancel(ctx)
	f := &Follower{clientset: clientset, namespace: namespace, selector: selector, cancel: cancel, logs: map[container]*load.PodLog{}}
	f.running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			f.look(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return f
}

// Stop ends the following. What was read is kept.
func (f *Follower) Stop() {
	f.cancel()
	f.running.Wait()
}

// Logs returns what was read so far, and the last error.
func (f *Follower) Logs() ([]load.PodLog, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []load.PodLog
	for _, log := range f.logs {
		snapshot := *log
		snapshot.Sessions = map[uint64][]load.Line{}
		for id, lines := range log.Sessions {
			snapshot.Sessions[id] = slices.Clone(lines)
		}
		all = append(all, snapshot)
	}
	return all, f.err
}

// look starts to follow new pods.
func (f *Follower) look(ctx context.Context) {
	pods, err := f.clientset.CoreV1().Pods(f.namespace).List(ctx, metav1.ListOptions{LabelSelector: f.selector})
	if err != nil {
		f.failed(ctx, err)
		return
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		ports, err := config.ParsePortSet(pod.Annotations[v1alpha1.PassivePortsAnnotation])
		if err != nil {
			f.failed(ctx, fmt.Errorf("pod %s: %w", pod.Name, err))
		}
		for _, status := range pod.Status.ContainerStatuses {
			if status.State.Running != nil && len(ports) > 0 {
				f.begin(ctx, container{pod.Name, status.RestartCount}, status.Name, ports)
			}
		}
	}
}

func (f *Follower) begin(ctx context.Context, c container, name string, ports config.PortSet) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.logs[c] != nil {
		return
	}
	log := &load.PodLog{Pod: c.pod, Ports: ports, Sessions: map[uint64][]load.Line{}}
	f.logs[c] = log
	f.running.Go(func() {
		if err := f.follow(ctx, c.pod, name, log); err != nil {
			f.failed(ctx, fmt.Errorf("log of pod %s: %w", c.pod, err))
		}
	})
}

// follow reads a container's log until the container ends.
func (f *Follower) follow(ctx context.Context, pod, name string, log *load.PodLog) error {
	stream, err := f.clientset.CoreV1().Pods(f.namespace).
		GetLogs(pod, &corev1.PodLogOptions{Container: name, Follow: true}).Stream(ctx)
	if err != nil {
		return err
	}
	defer stream.Close() //nolint:errcheck // it was only read
	lines := bufio.NewScanner(stream)
	for lines.Scan() {
		if session, t, ok := transfer(lines.Text()); ok {
			f.mu.Lock()
			log.Sessions[session] = append(log.Sessions[session], t)
			f.mu.Unlock()
		}
	}
	return lines.Err()
}

// failed records an error, unless the Follower was stopped.
func (f *Follower) failed(ctx context.Context, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() == nil {
		f.err = err
	}
}
