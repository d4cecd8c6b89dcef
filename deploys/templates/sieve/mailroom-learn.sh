{#!
Written beside and renamed, so that sa-learn never sees half a message. The name is the message's own sum: of a message that
went to and fro before it was learned, the last word counts. A few short processes a message, as a user may move 500.
!#}
#!/bin/sh
# Made by mailroom, chapter 5. Dovecot runs this as the owner of the mail, with a message on standard input.
set -eu
umask 027
case $1 in spam | ham) ;; *) exit 64 ;; esac
cd /var/spool/mailroom-learn
read -r new </proc/sys/kernel/random/uuid
cat >"new/$new"
name=$(sha256sum "new/$new")
name=${name%% *}
rm -f "spam/$name" "ham/$name"
exec mv "new/$new" "$1/$name"
