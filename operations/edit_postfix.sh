# edit_postfix.sh OPTION CHANGE…: postconf's changes to main.cf or master.cf, of which Postfix has said that it understands them.
# `postconf -c` works on a copy of the directory. A parameter that Postfix does not know is only a warning to postconf
# and silence to the daemon (https://www.postfix.org/postconf.1.html), so a warning that names the copy is refused.
# A map of ours that is damaged stops postconf itself, before the step that would put it back: it goes first.
live=/etc/postfix
while broken=$(postconf -n 2>&1 >/dev/null | sed -n 's|.*fatal: \(/etc/postfix/pgsql/[a-z-]*\.cf\), line .*|\1|p' | grep -m1 .); do
    echo "Postfix cannot read $broken; it is removed, and the step postgresql.maps makes it anew" >&2
    rm "$broken"
done
new=$(mktemp -d "$live/.mailroom.XXXXXX")
trap 'rm -rf "$new"' EXIT
chmod 755 "$new"
cp -a "$live"/main.cf "$live"/master.cf "$new"
for extra in dynamicmaps.cf dynamicmaps.cf.d postfix-files postfix-files.d; do
    [ ! -e "$live/$extra" ] || cp -a "$live/$extra" "$new"
done
postconf -c "$new" -n >/dev/null 2>"$new/before" || true
option=$1
shift
postconf -c "$new" "$option" "$@"
postconf -c "$new" -n >/dev/null 2>"$new/after" || true
postconf -c "$new" -P >/dev/null 2>>"$new/after"
if grep -vxFf "$new/before" "$new/after" >&2; then
    echo "Postfix does not understand this; nothing was changed" >&2
    exit 1
fi
postfix -c "$new" check >&2
for file in main.cf master.cf; do
    cmp -s "$new/$file" "$live/$file" || mv -f "$new/$file" "$live/$file"
done
