# shellcheck shell=bash
# pki.sh: one authority, a serving certificate for the API server, a client certificate for each
# part, and their kubeconfigs; and an authority and a certificate of etcd's own, which only the API
# server has. Everything lives and dies with the lab. Sourced.

make_pki() {
	local n part
	mkdir -p "$PKI"
	chmod 700 "$PKI"
	authority ca ftp-operator-lab
	authority etcd-ca ftp-operator-lab-etcd
	certificate etcd /CN=etcd IP:127.0.0.1 etcd-ca
	# Service account tokens are signed with RSA.
	openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null

	certificate apiserver /CN=kube-apiserver \
		"DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:127.0.0.1,IP:$HOST_IP,IP:$API_IP"
	certificate admin /O=system:masters/CN=admin
	kubeconfig admin "$ADMIN_KUBECONFIG"
	kubeconfig admin "$PKI/networkpolicy.kubeconfig"
	for part in kube-controller-manager kube-scheduler kube-proxy; do
		certificate $part /CN=system:$part
		kubeconfig $part "$PKI/$part.kubeconfig"
	done
	for n in $(seq "$NODES"); do
		certificate "n$n" "/O=system:nodes/CN=system:node:n$n" "DNS:n$n,IP:$(node_ip "$n")"
		kubeconfig "n$n" "$PKI/n$n.kubeconfig"
	done
}

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/$1.key" 2>/dev/null; }

# authority NAME COMMON-NAME
authority() {
	new_key "$1"
	openssl req -x509 -key "$PKI/$1.key" -days 3650 -subj "/CN=$2" -out "$PKI/$1.crt" 2>/dev/null
}

# certificate NAME SUBJECT [ALTERNATIVE-NAMES [AUTHORITY]]
certificate() {
	local extensions="extendedKeyUsage=serverAuth,clientAuth" authority=${4:-ca}
	[[ -z ${3-} ]] || extensions+=$'\n'"subjectAltName=$3"
	new_key "$1"
	openssl req -new -key "$PKI/$1.key" -subj "$2" -out "$PKI/$1.csr" 2>/dev/null
	openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/$authority.crt" -CAkey "$PKI/$authority.key" -CAcreateserial \
		-days 3650 -extfile <(echo "$extensions") -out "$PKI/$1.crt" 2>/dev/null
}

# kubeconfig NAME FILE
kubeconfig() {
	(
		umask 077
		cat >"$2" <<-END
			apiVersion: v1
			kind: Config
			current-context: $NAME
			clusters:
			- name: $NAME
			  cluster: {server: "https://$HOST_IP:6443", certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")}
			users:
			- name: $1
			  user: {client-certificate-data: $(base64 -w0 "$PKI/$1.crt"), client-key-data: $(base64 -w0 "$PKI/$1.key")}
			contexts:
			- name: $NAME
			  context: {cluster: $NAME, user: $1}
		END
	)
}
