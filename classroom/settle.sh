# On a learner's host that has just become what the reference host was: settle.sh OLD-DOMAIN NEW-DOMAIN. What has a name in it gets
# the learner's, the words in the place of secrets get theirs, each on a line of standard input after its name. The deploy follows
# and judges every file: this only spares it most of the writing. Debian's self-signed pair (ssl-cert) is made anew.
set -e
umask 077
words=$(mktemp /run/mailroom.XXXXXX)
printf 's/%s/%s/g\n' "$(echo "$1" | sed 's/\./\\./g')" "$2" >"$words"
while read -r name secret; do echo "s/{{mailroom $name}}/$secret/g"; done >>"$words"
grep -rlIE "$1|\{\{mailroom " /etc /usr/local /var/lib /var/cache/debconf --exclude-dir=postgresql --exclude-dir=mailroom-lab 2>/dev/null |
    grep -vx -e /etc/hosts -e /etc/hostname | xargs -r sed -i -f "$words"
rm -f "$words"
[ ! -x /usr/bin/newaliases ] || newaliases
if [ -x /usr/sbin/make-ssl-cert ]; then
    find /etc/ssl/certs -lname ssl-cert-snakeoil.pem -delete # by the hash of the reference's name
    make-ssl-cert generate-default-snakeoil --force-overwrite
    systemctl try-reload-or-restart 'postgresql@*' 2>/dev/null || true
fi
