# Everything the deploys ask of a host, read in one go: one SSH round trip instead of one per question.
# Written for sh (no bash), for a host on which nothing is installed yet, and never fails: what is not there prints nothing.
# Each part begins with "== name". Values that hold a secret are not read at all; of files with one, only the checksum is.
export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin

part() { printf '== %s\n' "$1"; }

part system
[ ! -r /etc/os-release ] || . /etc/os-release
printf 'id=%s\nversion=%s\npretty=%s\n' "$ID" "$VERSION_ID" "$PRETTY_NAME"
printf 'codename=%s\n' "$VERSION_CODENAME"
printf 'suites=%s\n' "$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -nE 's/^ *deb +(\[[^]]*\] +)?[^ ]+ +([^ ]+).*/\2/p; s/^Suites: *//p' | tr '\n' ' ')"
printf 'held=%s\n' "$(command -v dpkg-query >/dev/null && dpkg-query -W -f '${db:Status-Want} ${Package}\n' 2>/dev/null | sed -n 's/^hold //p' | tr '\n' ' ')"
[ -e /etc/os-release ] || printf 'pretty=%s\n' "$(cat /etc/redhat-release /etc/issue 2>/dev/null | grep . | head -n1)"
printf 'fqdn=%s\n' "$(hostname -f 2>/dev/null || hostname)"
printf 'nodename=%s\n' "$(uname -n)"
printf 'uid=%s\n' "$(id -u)"
printf 'now=%s\n' "$(date +%s)"
printf 'managers=%s\n' "$(for program in apt-get dnf yum; do command -v $program >/dev/null && printf '%s ' $program; done)"
printf 'services=%s\n' "$(for name in $SERVICES; do getent services $name >/dev/null && printf '%s ' $name; done)"
[ ! -e /sys/fs/selinux/enforce ] || printf 'selinux=%s\n' "$(cat /sys/fs/selinux/enforce)"
printf 'init=%s\n' "$(cat /proc/1/comm 2>/dev/null)"
printf 'free_mb=%s\n' "$(df -Pm /var 2>/dev/null | awk 'NR == 2 {print $4}')"
queue=/var/spool/postfix
[ -d $queue ] || queue=/var
printf 'queue_free_mb=%s\n' "$(df -Pm $queue 2>/dev/null | awk 'NR == 2 {print $4}')"
printf 'memory_mb=%s\n' "$(awk '$1 == "MemTotal:" {print int($2 / 1024)}' /proc/meminfo 2>/dev/null)"
printf 'signatures=%s\n' "$(ls /var/lib/clamav 2>/dev/null | tr '\n' ' ')"
printf 'homes=%s\n' "$(find "$MAIL_HOME/.home" -mindepth 2 -maxdepth 2 -type d -printf '%P ' 2>/dev/null)"
[ ! -e /run/mailroom.unproven ] || printf 'unproven=yes\n' # operations/hold.py
printf 'capabilities=%s\n' "$(awk '$1 == "CapBnd:" {print $2}' /proc/1/status 2>/dev/null)"
printf 'clock_jobs=%s\n' "$(for path in /etc/crontab /etc/cron.d/* /var/spool/cron/crontabs/* /etc/cron.hourly/* /etc/cron.daily/* \
    /etc/network/if-up.d/*; do
    case $path in /etc/cron.[hd]*ly/* | /etc/network/*) [ -x "$path" ] || continue ;; esac
    grep -qsE '^[^#]*(ntpdate|ntpdig|rdate)' "$path" && printf '%s ' "$path"
done)"
printf 'resolves=%s\n' "$(getent ahosts "$MAIL_NAME" 2>/dev/null | awk '{print $1}' | sort -u | tr '\n' ' ')"
printf 'addresses=%s\n' "$(ip -o addr show 2>/dev/null | awk '{sub("/.*", "", $4); print $4}' | tr '\n' ' ')"

part packages # and below: without a name these programs would list all
# both, as a host of one family may have the other's program
[ -n "$PACKAGES" ] && command -v dpkg-query >/dev/null &&
    dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' $PACKAGES 2>/dev/null | sed -n 's/^installed //p'
[ -n "$PACKAGES" ] && command -v rpm >/dev/null &&
    rpm -q --qf '%{NAME} %{VERSION}\n' $PACKAGES 2>/dev/null | grep -v 'not installed'

if command -v dpkg-query >/dev/null; then
    # What an installation that was cut off left behind. The journal is there while dpkg works, and after it was killed.
    part unfinished
    dpkg-query -W -f '${db:Status-Status} ${db:Status-Eflag} ${Package}\n' 2>/dev/null |
        awk '$1 !~ /^(installed|config-files|not-installed)$/ || $2 != "ok" {print $3, $1}'
    ls /var/lib/dpkg/updates 2>/dev/null | grep -q '^[0-9]' && echo 'dpkg interrupted'
    part dpkg_holder # who installs something right now: the process with dpkg's lock (proc(5), /proc/locks)
    for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
        [ ! -e $lock ] || awk -v inode=":$(stat -c %i $lock)" '$2 == "POSIX" && substr($6, length($6) - length(inode) + 1) == inode {print $5}' /proc/locks
    done 2>/dev/null | sort -u | while read -r pid; do echo "$pid $(cat "/proc/$pid/comm" 2>/dev/null)"; done
fi

part units
[ -n "$UNITS" ] && command -v systemctl >/dev/null &&
    systemctl show --timestamp=us+utc -p Id,LoadState,ActiveState,UnitFileState,ActiveEnterTimestamp,NeedDaemonReload $UNITS 2>/dev/null

part units_of_others # files beside the package's, and beside ours, that say what a daemon of ours runs
for unit in $UNITS; do
    for path in /etc/systemd/system/"$unit" /etc/systemd/system/"$unit".d/*.conf /etc/systemd/system/"${unit%%@*}"@.service.d/*.conf; do
        case $path in */mailroom* | */clamav-daemon.service.d/extend.conf) continue ;; esac
        [ -f "$path" ] && [ ! -L "$path" ] && grep -qsE '^ *(Exec[A-Z][A-Za-z]*|User|Group|Environment|EnvironmentFile|Root[A-Z][A-Za-z]*|Bind[A-Za-z]*) *=' "$path" && echo "$path"
    done
done | sort -u
part welcomed
grep -nsE '^[[:space:]]*(whitelist|welcomelist)_from[[:space:]]' /etc/spamassassin/*.cf | cut -d: -f1,2

part listeners
ss -Hlnpt 2>/dev/null | awk '{print $4, $6}'

part owners
for database in ${OWNERS:+passwd group}; do getent $database $OWNERS 2>/dev/null | sed "s/^/$database:/"; done

# as PostgreSQL names it, which may read another file than the package's; away, it cannot be asked
HBA=$(command -v psql >/dev/null && cd / && runuser -u postgres -- psql -wXAtqc 'SHOW hba_file' 2>/dev/null)
[ -n "$HBA" ] || HBA=$(ls /etc/postgresql/*/main/pg_hba.conf /var/lib/pgsql/data/pg_hba.conf 2>/dev/null | tail -n1)
part files
# %.Y is the time of the last change with its fraction: a service older than its file has to be restarted
for path in $TEXTS "$HBA" $SUMS; do stat -L -c '%a %U %G %.Y %F|%n' "$path" 2>/dev/null; done
part sums
for path in $TEXTS "$HBA" $SUMS; do [ -f "$path" ] && sha256sum "$path"; done 2>/dev/null
part texts
for path in $TEXTS "$HBA"; do [ -f "$path" ] && printf '%s %s\n' "$path" "$(base64 -w0 "$path")"; done 2>/dev/null

if [ -f "$CERTIFICATE" ] && [ -f "$KEY" ]; then
    part pair # facts/judge_pair.sh
    printf 'problem=%s\n' "$(judge_pair "$CERTIFICATE" "$KEY")"
    openssl x509 -in "$CERTIFICATE" -noout -checkend 0 >/dev/null 2>&1 ||
        printf 'expired=%s\n' "$(openssl x509 -in "$CERTIFICATE" -noout -enddate 2>/dev/null | cut -d= -f2)"
fi
part made # files that say in their own words that mailroom made them
grep -ls -d skip -m1 'Made by mailroom' $SUMS /dev/null
part links # files of these that are links to others
for path in $TEXTS /etc/postfix/main.cf /etc/postfix/master.cf "$HBA"; do [ -L "$path" ] && printf '%s %s\n' "$path" "$(readlink -m "$path")"; done
part places # directories that we may take: what stands there before us (path|its uid|what it leads to|the package that brings it|what is in it)
for path in $PLACES; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    real=$(readlink -m "$path")
    uid=$(stat -L -c %u "$path" 2>/dev/null)
    package= # asked of mail_home where root owns it
    [ "$uid" != 0 ] || [ "$path" != "$MAIL_HOME" ] || package=$(dpkg-query -S "$real" 2>/dev/null | cut -d: -f1 || rpm -qf --qf '%{NAME}' "$real" 2>/dev/null | grep -v ' ')
    printf '%s|%s|%s|%s|%s\n' "$path" "$uid" "$real" "$package" "$(ls -A "$path/" 2>/dev/null | head -n 5 | tr '\n' ' ')"
done
# the public half of the key, by which a certificate is known to belong to it
[ ! -f "$KEY" ] || printf 'key|%s\n' "$(openssl pkey -in "$KEY" -passin pass: -pubout -outform DER 2>/dev/null </dev/null | sha256sum | cut -d' ' -f1)"

if [ -e /sys/fs/selinux/enforce ]; then
    part labels
    for path in $TEXTS $SUMS; do stat -L -c '%C %n' "$path" 2>/dev/null; done
    part label_rules # our own, beside the policy's
    cat /etc/selinux/*/contexts/files/file_contexts.local 2>/dev/null
fi

if systemctl is-active --quiet firewalld 2>/dev/null; then
    part firewall
    printf 'now=%s\n' "$(firewall-cmd --list-services 2>/dev/null)"
    printf 'permanent=%s\n' "$(firewall-cmd --permanent --list-services 2>/dev/null)"
fi

if command -v postconf >/dev/null; then
    part postfix_main
    postconf -n 2>/dev/null
    part postfix_services
    postconf -M 2>/dev/null
    part postfix_overrides
    postconf -P 2>/dev/null
fi

if [ -e /etc/dovecot/dovecot.conf ] && ! grep -q '^# >>> mailroom' /etc/dovecot/dovecot.conf; then
    part edited # settings of a Dovecot that was here before us: ucf(1) knows how each file came
    grep -s ' /etc/dovecot/' /var/lib/ucf/hashfile | md5sum --quiet -c 2>/dev/null | sed 's/: [A-Z]*$//'
fi

if command -v dovecot >/dev/null; then
    part dovecot
    dovecot --version
    doveadm pw -l 2>/dev/null
fi

if command -v pg_lsclusters >/dev/null; then
    part clusters # Debian's; a database is a folder by its number, and PostgreSQL's own have numbers below 16384
    pg_lsclusters -h 2>/dev/null | while read -r version name port status _ data _; do
        printf '%s %s %s %s %s %s\n' "$version" "$name" "$port" "$status" "$(ls "$data/base" 2>/dev/null |
            awk '$1 ~ /^[0-9]+$/ && $1 >= 16384 {n++} END {print n + 0}')" "$(du -sm "$data" 2>/dev/null | awk '{print $1; n = 1} END {if (!n) print 0}')"
    done
fi

if command -v psql >/dev/null && command -v runuser >/dev/null; then
    # The rows hold password hashes: base64 keeps them from a reader over somebody's shoulder when pyinfra runs with -vvv. Short
    # lines, packed: paramiko takes a long time for a long one.
    part sql
    printf '%s' "$SQL" | (cd / && runuser -u postgres -- psql -wXAtq -v database="$DATABASE" -v role="$ROLE" 2>/dev/null) | gzip -1 | base64 -w 30000
fi
exit 0
