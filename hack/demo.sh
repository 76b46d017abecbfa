#!/usr/bin/env bash
# demo.sh up [KUBECONFIG]: from nothing to files going up and down through an FTP server on
# Kubernetes. Without a kubeconfig it makes a cluster on this machine.
# demo.sh down [KUBECONFIG]: takes everything away again.
# IMAGE names an image that the cluster can pull, for clusters that no local image can be loaded into.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=hack/cluster.sh
. hack/cluster.sh

LAB=demo
RELEASE=ftp-operator
OPERATOR_NAMESPACE=ftp-operator-system
NAMESPACE=ftp-demo
SERVER=files
SAMPLE=config/samples/ftpserver.yaml

install_operator() {
	local image=${IMAGE-}
	if [[ -z $image ]]; then
		hack/images.sh operator
		load_image $LAB dist/ftp-operator.tar
		image=$(cat dist/ftp-operator.ref)
	fi
	say "installing the operator with its Helm chart: helm upgrade --install $RELEASE charts/ftp-operator"
	"$HELM" upgrade --install $RELEASE charts/ftp-operator --namespace $OPERATOR_NAMESPACE --create-namespace \
		--set "image.repository=${image%:*}" --set "image.tag=${image##*:}" --wait --timeout 3m >/dev/null
	kubectl --namespace $OPERATOR_NAMESPACE get deployments
}

apply_server() {
	say "an FTP server: kubectl apply -f $SAMPLE"
	kubectl create namespace $NAMESPACE --dry-run=client -o yaml | kubectl apply -f - >/dev/null
	kubectl --namespace $NAMESPACE apply -f $SAMPLE
	if ! kubectl --namespace $NAMESPACE wait --for=condition=Ready "ftpserver/$SERVER" --timeout=3m >/dev/null; then
		kubectl --namespace $NAMESPACE get ftpserver/$SERVER -o wide >&2 || true
		kubectl --namespace $NAMESPACE describe ftpserver/$SERVER >&2 || true
		die "the FtpServer is not ready: see its conditions above. If its Service has no address, this cluster has no load balancer."
	fi
	kubectl --namespace $NAMESPACE get ftpservers
	# Not `-o wide`: it would list all passive ports with their node ports.
	kubectl --namespace $NAMESPACE get "service/$SERVER" \
		-o custom-columns='SERVICE:.metadata.name,TYPE:.spec.type,CLUSTER-IP:.spec.clusterIP,EXTERNAL-IP:.status.loadBalancer.ingress[*].ip'
}

# field JSONPATH: of the FtpServer.
field() { kubectl --namespace $NAMESPACE get "ftpserver/$SERVER" -o "jsonpath={$1}"; }

# credentials: sets USER_NAME and PASSWORD to the first user's.
credentials() {
	local secret key
	USER_NAME=$(field '.spec.users[0].name')
	secret=$(field '.spec.users[0].passwordSecretRef.name')
	key=$(field '.spec.users[0].passwordSecretRef.key')
	PASSWORD=$(kubectl --namespace $NAMESPACE get secret "$secret" -o go-template="{{index .data \"$key\" | base64decode}}")
}

checksum() { sha256sum <"$1" | cut -d' ' -f1; }

# same A B WHAT: by their checksums.
same() {
	[[ $(checksum "$1") == "$(checksum "$2")" ]] || die "$3: the file that came back is not the one that was sent"
	note "$3: 8 MiB up and down, SHA-256 $(checksum "$2" | cut -c1-16)... is the same"
}

# transfer ENDPOINT ADDRESS FOLDER: up- and download with curl and lftp, each by PASV and by EPSV.
transfer() {
	local endpoint=$1 address=$2 work=$3 mode
	head -c $((8 << 20)) /dev/urandom >"$work/sent"
	# A file, not the command line: there every user of this machine could see the password.
	printf 'machine %s login %s password %s\n' "$address" "$USER_NAME" "$PASSWORD" >"$work/netrc"
	chmod 600 "$work/netrc"

	say "curl, through the load balancer's address: $endpoint"
	for mode in PASV EPSV; do
		local option=--ftp-pasv
		# PASV is to be used with the address that it names, which curl by default does not trust.
		[[ $mode == EPSV ]] || option="--disable-epsv --no-ftp-skip-pasv-ip"
		# shellcheck disable=SC2086 # one option or two
		curl --silent --show-error --max-time 60 --netrc-file "$work/netrc" $option -T "$work/sent" "$endpoint/curl-$mode.bin"
		# shellcheck disable=SC2086
		curl --silent --show-error --max-time 60 --netrc-file "$work/netrc" $option --verbose \
			-o "$work/curl-$mode" "$endpoint/curl-$mode.bin" 2>"$work/curl-$mode.log" || {
			cat "$work/curl-$mode.log" >&2
			die "curl could not download by $mode"
		}
		grep -aE '^< 22[79] ' "$work/curl-$mode.log" | tr -d '\r' | sed 's/^</    the reply:/' >&2
		same "$work/sent" "$work/curl-$mode" "curl by $mode"
	done

	say "lftp, the same way"
	for mode in PASV EPSV; do
		local prefer=false
		[[ $mode == PASV ]] || prefer=true
		LFTP_HOME=$work/lftp LFTP_PASSWORD=$PASSWORD lftp -c "
			set ftp:prefer-epsv $prefer; set ftp:fix-pasv-address false; set ftp:ssl-allow false
			set net:max-retries 2; set net:timeout 20; set cmd:fail-exit true
			open --env-password --user $USER_NAME $endpoint
			put $work/sent -o lftp-$mode.bin
			get lftp-$mode.bin -o $work/lftp-$mode" >&2
		same "$work/sent" "$work/lftp-$mode" "lftp by $mode"
	done
}

# demo_down: the command that takes the demo away.
demo_down() { echo "make demo-down${GIVEN_KUBECONFIG:+ KUBECONFIG=$GIVEN_KUBECONFIG}"; }

# failed: runs at an exit that is not the end of `up`.
failed() {
	local status=$?
	rm -rf "${work-}"
	if ((status != 0)); then
		note "The demo did not get through. What it made is left for you to look at${KUBECONFIG:+ (export KUBECONFIG=$KUBECONFIG)}; $(demo_down) takes it away."
	fi
	exit "$status"
}

up() {
	trap failed EXIT
	say "the demo: a Kubernetes cluster, the operator, an FTP server, files up and down. The first time some things are compiled, which takes about a quarter of an hour on two cores."
	local began=$SECONDS endpoint address
	hack/deps.sh clients
	choose_cluster $LAB
	find_tools
	install_operator
	apply_server
	endpoint=$(field .status.endpoint)
	address=$(field .status.advertisedAddress)
	credentials
	work=$(mktemp -d)
	if ! (exec 3<>"/dev/tcp/$address/$(field .status.port)") 2>/dev/null; then
		die "the server is ready at $endpoint, but this machine can't reach that address; try from one that can: curl -T FILE $endpoint/ --user $USER_NAME"
	fi
	transfer "$endpoint" "$address" "$work"
	say "it works ($((SECONDS - began)) s in all)"
	go_on "$endpoint"
}

go_on() {
	cat <<-END

		The server "$SERVER" in the namespace "$NAMESPACE" is at $1, for the user $USER_NAME. To go on:
		    export KUBECONFIG=$KUBECONFIG
		    export PATH=$(dirname "$KUBECTL"):\$PATH
		    kubectl get ftpservers -n $NAMESPACE -o wide
		    kubectl describe ftpserver $SERVER -n $NAMESPACE
		    kubectl get endpointslices,service,networkpolicy,pods -n $NAMESPACE
		    kubectl explain ftpserver.spec
		    curl --user '$USER_NAME:$PASSWORD' $1/

		To take it down again:
		    $(demo_down)
	END
}

have_crd() { kubectl get crd ftpservers.ftp-operator.io >/dev/null 2>&1; }

down() {
	if [[ -n $GIVEN_KUBECONFIG ]]; then
		choose_cluster $LAB
		find_tools
		say "taking the demo out of the cluster: its namespace, the operator and its CRDs"
		# The pods first: a namespace would wait for half of their grace period before it looks again.
		! have_crd || kubectl --namespace $NAMESPACE delete ftpservers --all
		kubectl --namespace $NAMESPACE wait --for=delete pods --selector app.kubernetes.io/name=ftpd --timeout=2m >/dev/null
		kubectl delete namespace $NAMESPACE --ignore-not-found --wait --timeout=3m
		"$HELM" uninstall $RELEASE --namespace $OPERATOR_NAMESPACE --ignore-not-found --wait
		kubectl delete namespace $OPERATOR_NAMESPACE --ignore-not-found --wait --timeout=3m
		# Deleting the CRD would delete the servers that are not the demo's.
		if have_crd && [[ -z $(kubectl get ftpservers --all-namespaces --output name) ]]; then
			kubectl delete crd ftpservers.ftp-operator.io
		elif have_crd; then
			note "the CRD is kept, since there are other FtpServers"
		fi
	elif [[ $(id -u) == 0 && $(uname -s) == Linux ]]; then
		CLUSTER_KIND=lab end_cluster $LAB
	elif have_kind; then
		CLUSTER_KIND=kind end_cluster $LAB
	else
		die "nothing to take down: without root and without docker no cluster can have been made here"
	fi
	note "what was compiled is kept in $CACHE_DIR for the next time; delete it if you like"
}

GIVEN_KUBECONFIG=${2-}
case ${1-} in
up) up ;;
down) down ;;
*)
	sed -n '2,5s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac
