# shellcheck shell=bash
# images.sh: the lab's own small programs, and the images of its parts, made of binaries from
# the cache. Sourced.

# make_image NAME BINARY ENTRYPOINT USER: the tar of localhost/NAME:lab, cached beside the
# binary it holds; prints its path.
make_image() {
	local name=$1 binary=$2 entrypoint=$3 user=$4 tar
	tar=$CACHE_DIR/images/${binary##*/}.tar
	if [[ ! -f $tar ]]; then
		mkdir -p "$CACHE_DIR/images"
		(cd "$REPO_DIR" && go run ./hack/image --out "$tar" --ref "localhost/$name:lab" \
			--binary "$entrypoint=$binary" --entrypoint "$entrypoint" --user "$user") >/dev/null
	fi
	echo "$tar"
}

# own_binary NAME: the path of a program of this repository, below hack/lab, built if need be.
own_binary() {
	local binary
	binary=$CACHE_DIR/bin/$1-$(cat "$LAB_DIR/$1"/*.go "$REPO_DIR/go.sum" | sha256sum | cut -c1-12)
	if [[ ! -x $binary ]]; then
		(cd "$REPO_DIR" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$binary" "./hack/lab/$1") >&2
	fi
	echo "$binary"
}

pause_image() {
	local binary
	binary=$(own_binary pause)
	make_image pause "$binary" /pause 65535:65535
}
