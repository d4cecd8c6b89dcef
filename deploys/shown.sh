# What `show` finds on a host for a step: one `part` for each file or program that the step has to do with (deploys/shown.py).
# Only root's own programs are asked, and nothing is changed. A line that begins with "# " is a remark: it is not compared.
exec 2>/dev/null
CONF=/etc/dovecot/dovecot.conf

part() { # its heading, or "" of an only one; what was found
    [ -z "$2" ] || printf '%s\n\n' "${1:+$1
}$2"
}

text() { # a file without its passwords, and who may read it where that is not the rule
    [ -f "$1" ] || return 0
    lines=$(grep -c '' "$1") # wc counts no last line without an end
    [ "$lines" -le "$LONGEST" ] || set -- "$1" "$BEGINNING"
    sed -E 's/(password ?= ?).*/\1(secret)/;$a\' "$1" | head -n "${2:-$lines}"
    [ -z "$2" ] || echo "# … $((lines - $2)) more lines"
    stat -L -c '# %a %U:%G' "$1" | grep -vx '# 644 root:root'
}

block() { # its name, and its settings and sections in either language
    sed -n "/^# >>> mailroom: $1\$/,/^# <<< mailroom: $1\$/{//!p}" $CONF | grep ^ && return
    case $(dovecot --version) in 2.3*) names=$2 ;; 2*) names=$3 ;; *) return ;; esac
    found=$(for name in $names; do
        case $name in *{) doveconf -n "${name%?}" ;; *) doveconf "$name" ;; esac
    done)
    [ -z "$found" ] || printf '# in force, from conf.d or by default:\n%s\n' "$found"
}
includes() { grep -E '^#?!include(_try)? (conf[.]d|local[.]conf)' $CONF; }

packages() { # by the names of both families
    dpkg-query -W -f '${Package} ${Version}\n' "$@" | grep ' .' | sort -u
    rpm -q --qf '%{NAME} %{VERSION}\n' "$@" | grep -v 'not installed'
}

entry() { postconf -M "$1" | awk '{NF = 8; $1 = $1; print}'; }
wakeup() { postconf -M "$1" | awk '{print "wakeup: " $6}'; }
columns() { postconf -M "$1" | awk '{print "maxproc: " $7; for (i = 9; i <= NF; i++) print $i}'; }
overrides() { # a service, and their names
    service=$1 && shift
    postconf -P $(printf "$service/%s " "$@") | sed "s|^$service/||"
}
table() { lines "$1" domain query && rights "$1" | sed 's/^/# /'; }
lines() { # a file, and the words that they begin with
    file=$1 && shift
    grep -E "^($(echo "$@" | tr ' ' '|'))[ :]" "$file"
}
rights() { stat -L -c '%a %U:%G %n' "$@"; }

ask() { cd / && runuser -u postgres -- psql -wXAtq -d "${2:-mail}" -c "$1"; }
role() { ask "SELECT format('%s: login %s, superuser %s', rolname, rolcanlogin, rolsuper) FROM pg_roles WHERE rolname = '$1'" postgres; }
database() { ask "SELECT format('%s, owner %s', datname, pg_get_userbyid(datdba)) FROM pg_database WHERE datname = '$1'" postgres; }
tables() {
    ask "SELECT format('%s: %s', table_name, string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position))
        FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name ORDER BY table_name"
}
transports() { ask "SELECT format('%s -> %s', domain, transport) FROM transports ORDER BY 1"; }
mailboxes() { ask "SELECT format('%s -> %s (%s)', email, maildir, left(password, strpos(password, '}'))) FROM users"; }
aliases() { ask "SELECT format('%s -> %s', alias, email) FROM aliases"; }
hba() {
    file=$(ask "SHOW hba_file" postgres)
    [ -f "$file" ] || return 0
    sed -n '/^# >>> mailroom/,/^# <<< mailroom/{//!p}' "$file"
    echo "# the lines after them:"
    sed '/^# >>> mailroom/,/^# <<< mailroom/d; /^#/d; /^$/d; s/^/# /' "$file"
}

unit() { # its name, and a port where its daemon has one
    case $(systemctl show -P LoadState "$1") in
    loaded) ports=$ports$2 && echo "$1: $(systemctl is-active "$1")" ;;
    masked) echo "$1: masked" ;;
    esac
}
ports() {
    [ -z "$ports" ] || echo "ports that are open: $(ss -Hlnt | awk '{sub(".*:", "", $4); print $4}' | sort -nu | xargs)"
}
