"""The texts of chapter 5's step `learning`: what the user's hand on a message teaches SpamAssassin.

Dovecot only drops a copy into a spool; a unit of systemd's feeds the spool to sa-learn, many messages at once.
"""

SPOOL = "/var/spool/mailroom-learn"
PROGRAMS = "/usr/local/lib/mailroom"
UNITS = "/etc/systemd/system"

LEARNING = {
    "2.3": """protocol imap {
  mail_plugins = $mail_plugins imap_sieve
}
plugin {
  sieve_plugins = sieve_imapsieve sieve_extprograms
  sieve_global_extensions = +vnd.dovecot.pipe
  sieve_pipe_bin_dir = /usr/local/lib/mailroom/sieve
  imapsieve_mailbox1_name = Junk
  imapsieve_mailbox1_causes = COPY
  imapsieve_mailbox1_before = file:/etc/dovecot/sieve/learn-spam.sieve
  imapsieve_mailbox2_name = *
  imapsieve_mailbox2_from = Junk
  imapsieve_mailbox2_causes = COPY
  imapsieve_mailbox2_before = file:/etc/dovecot/sieve/learn-ham.sieve
}""",
    "2.4": """protocol imap {
  mail_plugins {
    imap_sieve = yes
  }
}
sieve_plugins {
  sieve_imapsieve = yes
  sieve_extprograms = yes
}
sieve_global_extensions {
  vnd.dovecot.pipe = yes
}
sieve_pipe_bin_dir = /usr/local/lib/mailroom/sieve
mailbox Junk {
  sieve_script learn-spam {
    type = before
    cause = copy
    path = /etc/dovecot/sieve/learn-spam.sieve
  }
}
imapsieve_from Junk {
  sieve_script learn-ham {
    type = before
    cause = copy
    path = /etc/dovecot/sieve/learn-ham.sieve
  }
}""",
}

# Larger messages are hardly ever spam, sa-learn would read them for seconds, and 500 of them would fill the disk.
LARGEST = "512K"

SPAM_SCRIPT = f"""require ["vnd.dovecot.pipe", "copy", "imapsieve"];

if size :under {LARGEST} {{
    pipe :copy "mailroom-learn" "spam";
}}"""

# Into the inbox, and nowhere else: who clears Junk into Trash, "Deleted Items" or Archive does not say that it was no spam.
HAM_SCRIPT = f"""require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment"];

if allof (environment :is "imap.mailbox" "INBOX", size :under {LARGEST}) {{
    pipe :copy "mailroom-learn" "ham";
}}"""

# Written beside and renamed, so that sa-learn never sees half a message. The name is the message's own sum: of a message that
# went to and fro before it was learned, the last word counts. A few short processes a message, as a user may move 500.
PIPE = """#!/bin/sh
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
exec mv "new/$new" "$1/$name\""""

LEARN = """#!/bin/sh
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
exit $kept"""

PATH_UNIT = """# Made by mailroom, chapter 5.
[Unit]
Description=Messages to learn from, as spam or as ham

[Path]
DirectoryNotEmpty=/var/spool/mailroom-learn/spam
DirectoryNotEmpty=/var/spool/mailroom-learn/ham

[Install]
WantedBy=multi-user.target"""

SERVICE_UNIT = """# Made by mailroom, chapter 5.
[Unit]
Description=Learn from the messages that users have moved into and out of Junk

[Service]
Type=oneshot
User=amavis
ExecStart=/usr/local/lib/mailroom/learn
Restart=on-failure
RestartSec=10min
Nice=10
NoNewPrivileges=yes
PrivateNetwork=yes
PrivateTmp=yes
ProtectHome=yes
ProtectSystem=strict
ReadWritePaths=/var/spool/mailroom-learn /var/lib/amavis"""
