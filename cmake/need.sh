# Sourced by what builds (./quickstart, ./test, .ci/run, tests/fuzz/run): installs the Debian packages that are not there yet.
export DEBIAN_FRONTEND=noninteractive

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -E "$@"; fi
}

is_installed() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# Those of packages.txt, and those named.
install_missing() {
    local package missing=()
    for package in $(<cmake/packages.txt) "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "installing ${missing[*]}" >&2
    as_root apt-get -qq update </dev/null
    as_root apt-get -qq install -y --no-install-recommends "${missing[@]}" </dev/null >&2
}
