# shellcheck shell=bash
# all.sh: sources every part of the library. Sourced.

_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=hack/lab/lib/common.sh
. "$_lib/common.sh"
# shellcheck source=hack/lab/lib/layout.sh
. "$_lib/layout.sh"
# shellcheck source=hack/lab/lib/process.sh
. "$_lib/process.sh"
# shellcheck source=hack/lab/lib/cgroup.sh
. "$_lib/cgroup.sh"
# shellcheck source=hack/lab/lib/sysctls.sh
. "$_lib/sysctls.sh"
# shellcheck source=hack/lab/lib/pki.sh
. "$_lib/pki.sh"
# shellcheck source=hack/lab/lib/controlplane.sh
. "$_lib/controlplane.sh"
# shellcheck source=hack/lab/lib/node.sh
. "$_lib/node.sh"
# shellcheck source=hack/lab/lib/images.sh
. "$_lib/images.sh"
# shellcheck source=hack/lab/lib/addons.sh
. "$_lib/addons.sh"
unset _lib
