# ftp-operator. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# A cluster of your own: only if named on the command line, not by the environment, since the
# demo's last words tell you to export KUBECONFIG.
ifeq ($(origin KUBECONFIG),command line)
CLUSTER := $(KUBECONFIG)
endif
unexport KUBECONFIG
# The version that binaries report; default: the chart's.
VERSION ?=
export VERSION
# Plain output also where the terminal could show colours: it ends up in logs.
export GINKGO_NO_COLOR := true
# When a test is taken to hang: no test's outcome depends on the machine's speed. Tests wait for half of
# what is left of it (ftptest.Patience).
TEST_TIMEOUT := 80m
# How long envtest waits for the API server and etcd, for the same reason; its own default is 20 s.
export KUBEBUILDER_CONTROLPLANE_START_TIMEOUT := 10m
export KUBEBUILDER_CONTROLPLANE_STOP_TIMEOUT := 5m
# How long each fuzz target runs.
MINUTES ?= 1
# For `make e2e`: a part of the tests' names, and the number of nodes of the local cluster (also
# for `make lab-up`).
FOCUS ?=
NODES ?= 2
# For `make soak`: for how long, by how many clients, and (RACE=1) with the race detector.
DURATION ?= 5m
CLIENTS ?= 200
RACE ?=

# For `make bench`: how often each server has its turn, what is measured (all, or some of
# bulk,clients,small,list,login,tls,calls,memory), how big the big file is in MiB, where the files lie (default: a new
# ext4 in an image), the report that is written, and a commit to compare with, pair by pair. A short one:
# make bench ROUNDS=1 ROWS=small OUT=
ROUNDS ?= 7
ROWS ?= all
SIZE ?= 1024
DIR ?=
BASE ?=
OUT ?= docs/benchmarks.md

# The tests that need an API server, as their imports tell; and those with targets of their own.
ENVTEST = $(shell grep -rl --include='*_test.go' controller-runtime/pkg/envtest . | xargs -r dirname | sort -u | grep -v -x ./test/chart)
UNIT = $(shell go list ./... | grep -v -x -F -f <(go list -e $(ENVTEST) ./test/chart ./test/clients/... ./test/crash ./test/e2e ./test/soak 2>/dev/null))

.PHONY: help
help: ## List the targets.
	@echo "Targets (make TARGET):"
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14
	@echo
	@echo "Binaries that take long to build are kept in $${FTP_OPERATOR_CACHE:-$${XDG_CACHE_HOME:-~/.cache}/ftp-operator}."

##@ Try it

.PHONY: demo
demo: ## Everything from nothing: a cluster, the operator, files up and down through it. KUBECONFIG=FILE: on your cluster.
	@hack/demo.sh up $(CLUSTER)

.PHONY: demo-down
demo-down: ## Take the demo away again, and everything it made. KUBECONFIG=FILE as for demo.
	@hack/demo.sh down $(CLUSTER)

##@ Test

.PHONY: test
test: ## Every test. Installs what is missing (as root); the first time takes half an hour, later ones some minutes.
	@echo "==> make test: checks, unit tests, tests with a real API server, with real FTP clients, and on a real cluster"
	@hack/test.sh deps tidy verify vet lint unit chart envtest clients soak-short e2e

.PHONY: unit
unit: ## Unit tests, with the race detector and the fuzz targets' seeds. Needs nothing but Go and a C compiler.
	@echo 'go test -race -shuffle=on, $(words $(UNIT)) packages'
	@go test -race -shuffle=on -timeout $(TEST_TIMEOUT) $(UNIT)

.PHONY: envtest
envtest: ## Tests against a real API server and etcd (built the first time: about 6 minutes).
	KUBEBUILDER_ASSETS="$$(hack/lab/build.sh kube-bin)" go test -race -timeout $(TEST_TIMEOUT) $(ENVTEST)

.PHONY: clients
clients: ## Tests of the daemon with curl, lftp, ncftp, tnftp, wget, rclone, aria2, PHP, Ruby, Node.js and Python.
	@hack/deps.sh clients
	@hack/npm.sh
	go test -count=1 -timeout $(TEST_TIMEOUT) ./test/clients/...

.PHONY: soak
soak: ## Load on a daemon, checked byte for byte, and nothing leaked at its end; listings beside changes; power cuts. DURATION=5m CLIENTS=200 RACE=1.
	go test -count=1 -timeout 0 ./ftpd/storage/facts -run TestFactsAreTrue -v -meddling 1m
	go test -count=1 -timeout 0 ./test/soak -v -duration $(DURATION) -clients $(CLIENTS) -stall 30s $(if $(RACE),-race-daemon)
	go test -count=1 -timeout 0 ./test/crash -v -duration $(DURATION)

.PHONY: soak-short
soak-short: ## The same for 20 seconds, with the race detector, and some power cuts.
	go test -count=1 -timeout $(TEST_TIMEOUT) ./test/soak -race-daemon
	go test -count=1 -timeout $(TEST_TIMEOUT) ./test/crash

.PHONY: e2e
e2e: ## Tests on a real cluster: one made for them, or KUBECONFIG=FILE. FOCUS=TEXT picks tests.
	@FOCUS='$(FOCUS)' NODES='$(NODES)' hack/e2e.sh $(CLUSTER)

.PHONY: chart
chart: ## Tests of the Helm chart and the kustomize tree: linted, rendered in variants, taken by a real API server.
	@hack/deps.sh chart
	KUBEBUILDER_ASSETS="$$(hack/lab/build.sh kube-bin)" go test -timeout $(TEST_TIMEOUT) ./test/chart

.PHONY: fuzz
fuzz: ## Run every fuzz target for MINUTES (default 1) each.
	@hack/fuzz.sh $(MINUTES)

.PHONY: bench
bench: ## Measure the daemon beside vsftpd, ProFTPD, Pure-FTPd and pyftpdlib (as root; about half an hour). ROUNDS, ROWS, SIZE (MiB), DIR, OUT, BASE.
	@BASE='$(BASE)' DIR='$(DIR)' hack/bench.sh -out '$(OUT)' -rounds '$(ROUNDS)' -rows '$(ROWS)' -size '$(SIZE)'

##@ Check and generate

.PHONY: lint
lint: ## golangci-lint, and shellcheck over the scripts.
	hack/lint.sh ./...
	shellcheck -x hack/*.sh hack/lab/*.sh .ci/run

.PHONY: vet
vet: ## go vet.
	go vet ./...

.PHONY: generate
generate: ## Make the generated files anew: deep copies, apply configurations, CRDs, rules, the API's reference.
	hack/generate.sh

.PHONY: verify
verify: ## Prove that the generated files are current.
	hack/verify.sh

.PHONY: tidy
tidy: ## Prove that go.mod and go.sum are tidy (`go mod tidy` makes them so).
	go mod tidy -diff

##@ Build

.PHONY: build
build: ## Build the binaries for this machine, into bin/.
	go build -trimpath -o bin/ ./cmd/...

.PHONY: image
image: ## Build dist/ftp-operator.tar without a container engine, for docker load, ctr or kind.
	@hack/images.sh operator

##@ The local cluster

.PHONY: lab-up
lab-up: ## Start a real Kubernetes on this machine (NODES=1 or 2) and print its kubeconfig's path.
	@hack/deps.sh lab
	@hack/lab/up.sh --nodes $(NODES)

.PHONY: lab-down
lab-down: ## Take it down again.
	@hack/lab/down.sh

.PHONY: deps
deps: ## Install the Debian packages that are missing for all of this (as root), and fetch the Go modules.
	@hack/deps.sh
	@echo "    fetching Go modules (a minute the first time)"
	@go mod download
