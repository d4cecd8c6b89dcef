#!/bin/sh
# Made by mailroom, chapter 5. mailroom-learn.service runs this as amavis, whose Bayes it trains.
set -u
cd /var/spool/mailroom-learn || exit 1
list=$(mktemp) || exit 1
kept=0
for kind in spam ham; do
    find "$kind" -type f >"$list"
    [ -s "$list" ] || continue
    if sa-learn "--$kind" --local --max-size=0 --folders="$list"; then
        xargs rm -f <"$list"
    else
        echo "sa-learn failed; $(wc -l <"$list") messages stay in /var/spool/mailroom-learn/$kind and are tried again" >&2
        kept=1
    fi
done
find new -type f -mmin +60 -delete # of a session that died
rm -f "$list"
exit $kept
