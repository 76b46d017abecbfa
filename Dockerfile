# The image with the operator (/manager) and the daemon (/ftpd): two static binaries and nothing
# else. `make image` builds the same without docker.
#
#   docker build --build-arg VERSION=v0.1.0 -t registry.example.com/ftp-operator:0.1.0 .
FROM golang:1.26 AS build
ARG VERSION
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
# The modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH} go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X github.com/ftp-operator/ftp-operator/internal/version.version=${VERSION}" \
      -o /out/ ./cmd/manager ./cmd/ftpd \
 && mkdir -p /out/etc /out/tmp && chmod 1777 /out/tmp \
 && printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' > /out/etc/passwd

FROM scratch
COPY --from=build /out/ /
USER 65532:65532
ENTRYPOINT ["/manager"]
