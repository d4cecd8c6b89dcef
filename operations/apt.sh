# apt.sh PATIENCE UNFINISHED …: what was cut off is finished, with apt-get and dpkg, waiting so many seconds for their locks. Behind it
# `patient` and `apt` are there for what an operation adds at the end, with the arguments that follow.
# apt-get would wait by itself (DPkg::Lock::Timeout), but for two of its four locks only, and dpkg not at all; so their
# own words are read. A half-installed package may have to be fetched once more: hence -f behind the update.
# https://manpages.debian.org/dpkg.1 ("--configure"), https://manpages.debian.org/apt-get.8 ("-f")
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
patience=$1 unfinished=$2
shift 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { apt-get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
patient() {
    waited=0
    while :; do
        code=0
        "$@" >"$log" 2>&1 </dev/null || code=$?
        cat "$log"
        [ $code != 0 ] && grep -E 'Could not get lock|Unable to lock|[wi]s locked by another process' "$log" >&2 || return $code
        if [ $waited -ge "$patience" ]; then
            echo "that lock was held for $patience s; wait for that program, or end it, and run again" >&2
            exit 1
        fi
        waited=$((waited + 5))
        sleep 5
    done
}
# Debian makes PostgreSQL's cluster while it configures the package, and takes half a one for a whole one afterwards. A cluster
# that no server has ever started (it would have written postmaster.opts) holds nobody's data, and is made anew.
for package in $unfinished; do
    version=${package#postgresql-}
    case $version in $package | *[!0-9]*) continue ;; esac
    for data in /var/lib/postgresql/$version/main /etc/postgresql/$version/main; do
        [ -e "/var/lib/postgresql/$version/main/postmaster.opts" ] && continue
        [ ! -d "$data" ] || find "$data" -depth -delete
    done
done
# After an upgrade from Debian 12 Dovecot does not start on its text, which is of the release before, and dpkg would stop at it:
# it is started at its own step, with its new text.
case $unfinished in *dovecot*)
    trap 'rm -f "$log"; systemctl unmask --runtime --quiet dovecot.service dovecot.socket 2>/dev/null || true' EXIT
    systemctl mask --runtime --quiet dovecot.service dovecot.socket 2>/dev/null || true
    ;;
esac
[ -z "$unfinished" ] || patient dpkg --force-confdef --force-confold --configure -a || true # what it cannot, -f will
patient apt update
[ -z "$unfinished" ] || patient apt -f install
