# Debian's packages without touching the system; sourced by scripts/setup.

debian_mirror() {
    if [ -n "${PVLM_DEBIAN_MIRROR:-}" ]; then printf '%s\n' "$PVLM_DEBIAN_MIRROR"; return; fi
    cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
        grep -v '^ *#' | grep -oE '(https?|mirror\+https?|file)://?[^ ]*/debian/?( |$)' | tr -d ' ' | head -n 1
}

# debian_unpack FOLDER SUITE STATUS ARGUMENT...: unpacks into FOLDER/root what `apt-get install ARGUMENT...` would install where
# the file STATUS says what is there already.
debian_unpack() {
    local work=$1 suite=$2 status=$3 mirror package
    shift 3
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || { say "this system names no Debian mirror; set PVLM_DEBIAN_MIRROR to one"; return 1; }
    mkdir -p "$work"/{lists/partial,cache/archives/partial,root}
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "${mirror%/}" "$suite" >"$work/sources.list"
    local options=(
        -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::Etc::sourceparts=-" -o "Dir::State::status=$status"
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o "APT::Install-Recommends=false"
        # A frozen copy of the mirror is as good; the signature is checked all the same.
        -o "Acquire::Check-Valid-Until=false"
        -o "APT::Sandbox::User=root" -o "Acquire::Languages=none" -o "Debug::NoLocking=true" -o "APT::Keep-Downloaded-Packages=true"
        -o "Binary::apt-get::APT::Keep-Downloaded-Packages=true" -o "DPkg::Post-Invoke=" -o "APT::Update::Post-Invoke="
    )
    apt-get "${options[@]}" update >&2 || return 1
    apt-get "${options[@]}" -y --download-only install "$@" >"$work/apt.log" 2>&1 || { tail -n 5 "$work/apt.log" >&2; return 1; }
    for package in "$work"/cache/archives/*.deb; do dpkg-deb -x "$package" "$work/root" || return 1; done
    rm -rf "$work/cache" "$work/lists"
}
