# Sourced by ./run and ./test: makes the virtual environment, and fills it when something changed.

stamp=.venv/installed # One line for each lock file that is installed: "<hash> <lock file>".

has_python() {
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

fail() {
    echo "$1" >&2
    exit 1
}

# Install the packages of the lock file $1, and the checkout itself, into .venv.
install_packages() {
    local lock=$1 wanted
    local python=${PYTHON:-python3}
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>&1) || true
    [[ $version =~ ^3\.([0-9]+)$ && ${BASH_REMATCH[1]} -ge 11 ]] ||
        fail "Paceline needs Python 3.11 or newer; $python is: ${version##*$'\n'}"

    # Two at once would write over each other; the lock is the checkout's folder itself.
    exec 9<.
    if command -v flock >/dev/null; then flock 9; fi
    # The path counts too: the installed checkout is a link to where it was.
    wanted=$({ pwd && cat requirements*.lock pyproject.toml; } | sha256sum | cut -d' ' -f1)
    if ! has_python || ! grep -qx "$wanted $lock" "$stamp" 2>/dev/null; then
        echo "Installing $lock into .venv."
        fill_environment "$python" "$lock"
        # What another branch's files have left there is not what this branch wants.
        { grep "^$wanted " "$stamp" 2>/dev/null || true; } >"$stamp.new"
        echo "$wanted $lock" >>"$stamp.new"
        mv "$stamp.new" "$stamp"
    fi
    exec 9<&-
}

fill_environment() {
    local python=$1 lock=$2
    local options=(install --quiet --quiet --disable-pip-version-check --root-user-action=ignore)
    if ! has_python; then
        # Some systems keep ensurepip in a package of its own; there, the system's pip does.
        "$python" -m venv --clear .venv >/dev/null 2>&1 ||
            "$python" -m venv --clear --without-pip .venv ||
            fail "$python can't make a virtual environment in .venv (see the line above)."
    fi
    local pip=(.venv/bin/python -m pip)
    "${pip[@]}" --version >/dev/null 2>&1 || pip=("$python" -m pip --python .venv/bin/python)
    "${pip[@]}" --version >/dev/null 2>&1 ||
        fail "$python has neither ensurepip nor pip: install one (Debian: python3-venv)."
    "${pip[@]}" "${options[@]}" --require-hashes --requirement "$lock" ||
        fail "The packages of $lock can't be installed (see above)."
    "${pip[@]}" "${options[@]}" --no-build-isolation --no-deps --editable . ||
        fail "The checkout can't be installed into .venv (see above)."
}
