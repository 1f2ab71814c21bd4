# What the dashboard and its browser tests need: Node, npm packages, Playwright, Chromium; sourced by scripts/setup.
# Each function fails softly: the caller decides whether that matters.
. scripts/lib/node.sh

MODULES_STAMP=frontend/node_modules/.set-up
CHROMIUM=$TOOLS/chromium
CHROMIUM_PATH=$TOOLS/chromium-path # where tests/browser/chromium.py looks

set_up_node() {
    use_node && return
    say "fetching $NODE_WHEEL from PyPI into .tools/node, because the PATH has no $NODE_NEEDED (60 MB)"
    install_tools
    rm -rf "$TOOLS/node"
    timeout 180 "$TOOLS/bin/uv" pip install --quiet --python "$(command -v python3)" --target "$TOOLS/node" "$NODE_WHEEL" &&
        # A wheel holds no links: npm came as a copy that does not find its parts.
        ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$NODE_FOLDER/npm" && use_node && npm --version >/dev/null && return
    say "no Node: install $NODE_NEEDED and run this again"
    return 1
}

set_up_modules() {
    set_up_node || return 1
    local wanted
    wanted="$ROOT $(cat frontend/package.json frontend/package-lock.json | cksum)"
    [ -f "$MODULES_STAMP" ] && [ "$(cat "$MODULES_STAMP")" = "$wanted" ] && return
    say "installing the dashboard's build tools from frontend/package-lock.json with npm ci (250 MB, up to half a minute)"
    mkdir -p "$TOOLS"
    (cd frontend && timeout 180 npm ci --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-timeout=30000) >"$TOOLS/npm.log" 2>&1 || {
        say "npm ci failed: $(grep -v '^npm error *$' "$TOOLS/npm.log" | head -n 3 | tr '\n' ' ')(more in .tools/npm.log)"
        return 1
    }
    printf '%s' "$wanted" >"$MODULES_STAMP"
}

set_up_playwright() {
    [ "$("$VENV/bin/python" -m playwright --version 2>/dev/null)" = "Version $(sed -n 's/^playwright==//p' requirements_browser.txt)" ] && return
    say "installing Playwright from requirements_browser.txt into .venv, because it drives the browser of the tests"
    timeout 180 "$TOOLS/bin/uv" pip install --quiet --python "$VENV/bin/python" --requirements requirements_browser.txt && return
    say "Playwright could not be installed: the browser tests will skip"
    return 1
}

find_chromium() { "$VENV/bin/python" -m tests.browser.chromium; }

set_up_chromium() {
    find_chromium >/dev/null || chromium_by_playwright || chromium_by_debian || {
        say "no Chromium: install it (Debian: apt-get install chromium) or set PVLM_CHROMIUM to one, and run this again"
        return 1
    }
}

chromium_by_playwright() {
    say "asking Playwright for its Chromium, because none is on the PATH (180 MB; a blocked host is no problem)"
    PLAYWRIGHT_BROWSERS_PATH=$TOOLS/browsers timeout 180 "$VENV/bin/python" -m playwright install --no-shell chromium >/dev/null 2>&1 ||
        return 1
    find "$TOOLS/browsers" -path '*/chromium-*/chrome-linux*/chrome' | sort | tail -n 1 >"$CHROMIUM_PATH"
    find_chromium >/dev/null
}

chromium_by_debian() {
    local suite
    suite=$(. /etc/os-release 2>/dev/null && [ "$ID" = debian ] && printf '%s' "${VERSION_CODENAME:-}") && [ -n "$suite" ] || return 1
    say "unpacking Debian's Chromium and the libraries that are missing into .tools/chromium (the system stays as it is; 400 MB)"
    rm -rf "$CHROMIUM"
    mkdir -p "$CHROMIUM"
    awk -v RS= -v ORS='\n\n' '!/^Package: chromium/' /var/lib/dpkg/status >"$CHROMIUM/status"
    debian_unpack "$CHROMIUM" "$suite" "$CHROMIUM/status" chromium || return 1
    cat >"$CHROMIUM/chromium" <<'WRAPPER'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
for folder in "$root"/usr/lib/*-linux-gnu/pulseaudio "$root"/usr/lib/*-linux-gnu "$root"/lib/*-linux-gnu; do
    LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_FILE="$root/../fonts.conf"
exec "$root/usr/lib/chromium/chromium" "$@"
WRAPPER
    chmod +x "$CHROMIUM/chromium"
    printf '<fontconfig><dir>%s</dir><cachedir>%s</cachedir></fontconfig>\n' "$CHROMIUM/root/usr/share/fonts" "$CHROMIUM/font-cache" >"$CHROMIUM/fonts.conf"
    printf '%s\n' "$CHROMIUM/chromium" >"$CHROMIUM_PATH"
    find_chromium >/dev/null
}

set_up_frontend() {
    set_up_modules || true
    set_up_playwright || true
    set_up_chromium || true
    local browser
    say "Node: $(use_node && node --version || echo "missing ($NODE_NEEDED)")"
    say "npm packages: $([ -f "$MODULES_STAMP" ] && echo "frontend/node_modules" || echo "missing: scripts/frontend cannot build or check")"
    say "Playwright: $("$VENV/bin/python" -m playwright --version 2>/dev/null || echo "missing: the browser tests will skip")"
    say "Chromium: $({ browser=$(find_chromium) && printf '%s (%s)' "$browser" "$("$browser" --version 2>/dev/null)"; } || echo "missing: the browser tests will skip")"
}
