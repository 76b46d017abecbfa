# shellcheck shell=bash
# pki.sh: one authority, a serving certificate for the API server, a client certificate for each
# part, and their kubeconfigs. Everything lives and dies with the lab. Sourced.

make_pki() {
	local n part
	mkdir -p "$PKI"
	chmod 700 "$PKI"
	new_key ca
	openssl req -x509 -key "$PKI/ca.key" -days 3650 -subj /CN=ftp-operator-lab -out "$PKI/ca.crt" 2>/dev/null
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

# certificate NAME SUBJECT [ALTERNATIVE-NAMES]
certificate() {
	local extensions="extendedKeyUsage=serverAuth,clientAuth"
	[[ -z ${3-} ]] || extensions+=$'\n'"subjectAltName=$3"
	new_key "$1"
	openssl req -new -key "$PKI/$1.key" -subj "$2" -out "$PKI/$1.csr" 2>/dev/null
	openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial \
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
