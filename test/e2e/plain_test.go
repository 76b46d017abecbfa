package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/internal/passhash"
	"github.com/ftp-operator/ftp-operator/test/e2e/load"
	"github.com/ftp-operator/ftp-operator/test/ftpclient"
)

// target is a server that a comparison puts under load.
type target struct {
	address string
	// roll replaces its pods, and waits until the old ones are gone.
	roll func(context.Context)
	// remove deletes the target; nil if it is deleted elsewhere.
	remove func(context.Context)
}

func ofServer(server *v1alpha1.FtpServer) target {
	return target{address: controlAddress(server), roll: func(ctx context.Context) {
		GinkgoHelper()
		roll(ctx, server, "compared")
		waitGone(ctx, server.Namespace, client.MatchingLabels{v1alpha1.ServerLabel: server.Name, "app.kubernetes.io/name": "ftpd"},
			func(pod *corev1.Pod) bool { return pod.Annotations[generationAnnotation] != "compared" })
	}}
}

// newPlain creates what a user would create without the operator: the same daemon and the same number of pods, on the
// same volume, behind a Service that selects them and has every passive port. The daemons are configured with the
// load balancer's address, and to accept data connections from another address than that of the control connection,
// as happens with externalTrafficPolicy Cluster.
func newPlain(ctx context.Context, server *v1alpha1.FtpServer, affinity corev1.ServiceAffinity) target {
	GinkgoHelper()
	name := "plain-" + strings.ToLower(string(affinity))
	labels := map[string]string{"app": name}
	meta := metav1.ObjectMeta{Namespace: server.Namespace, Name: name}
	ports := config.PortRange(uint16(server.Spec.Passive.PortRange.Start), uint16(server.Spec.Passive.PortRange.End))

	service := &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeLoadBalancer, ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyCluster,
		Selector: labels, SessionAffinity: affinity,
		Ports: []corev1.ServicePort{{Name: "ftp", Port: 21, TargetPort: intstr.FromInt32(2121)}},
	}}
	for _, port := range ports {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: fmt.Sprintf("p%d", port), Port: int32(port)})
	}
	Expect(k8s.Create(ctx, service)).To(Succeed())
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(service), service)).To(Succeed())
		g.Expect(service.Status.LoadBalancer.Ingress).NotTo(BeEmpty())
	}).Should(Succeed())
	address := service.Status.LoadBalancer.Ingress[0].IP

	hash, err := passhash.Hash(password)
	Expect(err).NotTo(HaveOccurred())
	file, err := (&config.Config{
		APIVersion: config.APIVersion, Listen: []string{":2121"}, AdminAddress: ":8021",
		Storage: config.Storage{Root: "/data"},
		Passive: config.Passive{Ports: ports, AdvertisedAddress: address, PeerCheck: config.PeerCheckRelaxed},
		TLS:     &config.TLS{Certificates: []config.Certificate{{CertFile: "/tls/tls.crt", KeyFile: "/tls/tls.key"}}},
		Users:   []config.User{{Name: user, PasswordHash: hash}},
		Drain:   config.Drain{Grace: config.Duration(50 * time.Second)},
	}).Marshal()
	Expect(err).NotTo(HaveOccurred())
	secret := &corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"ftpd.yaml": file}}
	Expect(k8s.Create(ctx, secret)).To(Succeed())

	deployment := plainDeployment(meta, labels, server)
	Expect(k8s.Create(ctx, deployment)).To(Succeed())
	waitPlain(ctx, deployment)
	By("waiting until all nodes lead to it")
	for range 10 {
		Eventually(ctx, func(ctx context.Context) error {
			session, err := ftpclient.Login(ctx, ftpclient.Host{}, address+":21", user, password)
			if err != nil {
				return err
			}
			return session.Quit()
		}).Should(Succeed())
	}
	return target{
		address: address + ":21",
		roll: func(ctx context.Context) {
			GinkgoHelper()
			Eventually(ctx, func(ctx context.Context) error {
				if err := k8s.Get(ctx, client.ObjectKeyFromObject(deployment), deployment); err != nil {
					return err
				}
				deployment.Spec.Template.Annotations = map[string]string{generationAnnotation: "compared"}
				return k8s.Update(ctx, deployment)
			}).Should(Succeed())
			waitPlain(ctx, deployment)
			waitGone(ctx, server.Namespace, client.MatchingLabels(labels),
				func(pod *corev1.Pod) bool { return pod.Annotations[generationAnnotation] != "compared" })
		},
		remove: func(ctx context.Context) {
			GinkgoHelper()
			foreground := client.PropagationPolicy(metav1.DeletePropagationForeground)
			for _, object := range []client.Object{deployment, service, secret} {
				Expect(k8s.Delete(ctx, object, foreground)).To(Succeed())
			}
			waitGone(ctx, server.Namespace, client.MatchingLabels(labels), func(*corev1.Pod) bool { return true })
		},
	}
}

func plainDeployment(meta metav1.ObjectMeta, labels map[string]string, server *v1alpha1.FtpServer) *appsv1.Deployment {
	yes, no, id, grace := true, false, int64(65532), int64(60)
	secret := func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}
	}
	return &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Replicas: server.Spec.Replicas,
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec: corev1.PodSpec{
				TerminationGracePeriodSeconds: &grace,
				EnableServiceLinks:            &no,
				SecurityContext: &corev1.PodSecurityContext{
					RunAsNonRoot: &yes, RunAsUser: &id, RunAsGroup: &id, FSGroup: &id,
					SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
				},
				Containers: []corev1.Container{{
					Name: "ftpd", Image: env.image, Command: []string{"/ftpd", "--config", "/config/ftpd.yaml"},
					SecurityContext: &corev1.SecurityContext{
						AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
						Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
					},
					ReadinessProbe: &corev1.Probe{PeriodSeconds: 2, ProbeHandler: corev1.ProbeHandler{
						HTTPGet: &corev1.HTTPGetAction{Path: "/readyz", Port: intstr.FromInt32(8021)},
					}},
					VolumeMounts: []corev1.VolumeMount{
						{Name: "config", MountPath: "/config"}, {Name: "tls", MountPath: "/tls"}, {Name: "data", MountPath: "/data"},
					},
				}},
				Volumes: []corev1.Volume{
					{Name: "config", VolumeSource: secret(meta.Name)},
					{Name: "tls", VolumeSource: secret(certificateSecret)},
					{Name: "data", VolumeSource: corev1.VolumeSource{
						PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: server.Name + "-data"},
					}},
				},
			},
		},
	}}
}

// waitPlain waits until all pods have the newest template and are ready.
func waitPlain(ctx context.Context, deployment *appsv1.Deployment) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(deployment), deployment)).To(Succeed())
		status, wanted := &deployment.Status, *deployment.Spec.Replicas
		g.Expect(status.ObservedGeneration).To(Equal(deployment.Generation))
		g.Expect(status.UpdatedReplicas).To(Equal(wanted))
		g.Expect(status.Replicas).To(Equal(wanted))
		g.Expect(status.ReadyReplicas).To(Equal(wanted))
	}).WithTimeout(2 * time.Minute).Should(Succeed())
}

// waitGone waits until none of the old pods with these labels is left.
func waitGone(ctx context.Context, namespace string, labels client.MatchingLabels, old func(*corev1.Pod) bool) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega, ctx context.Context) {
		list := &corev1.PodList{}
		g.Expect(k8s.List(ctx, list, client.InNamespace(namespace), labels)).To(Succeed())
		for i := range list.Items {
			g.Expect(old(&list.Items[i])).To(BeFalse(), "pod %s is still there", list.Items[i].Name)
		}
	}).WithTimeout(2 * time.Minute).WithPolling(pollSlowly).Should(Succeed())
}

// row is a row of the table in docs/routing.md.
type row struct {
	server, changes string
	load.Summary
}

// table formats the table of docs/routing.md.
func table(rows []row) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| Server | Changes meanwhile | Transfers | completed | misrouted | cut | wrong bytes | failed otherwise | Sessions | refused once | longer | longest refusal |")
	fmt.Fprintln(&b, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, r := range rows {
		o := r.Outcomes
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %s |\n", r.server, r.changes, r.Transfers,
			o[load.Completed], o[load.Misrouted], o[load.Cut], o[load.Wrong], o[load.Ended]+o[load.Failed],
			r.Sessions, r.Refused-r.RefusedAgain, r.RefusedAgain, r.LongestRefusal.Round(100*time.Millisecond))
	}
	return b.String()
}
