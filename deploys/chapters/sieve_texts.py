"""The texts of chapter 5: as printed in 2013, and in the two languages of Dovecot and Pigeonhole today.

{{ names }} come from the inventory's data. `%d` and `%{user|domain}` are Dovecot's own.
"""

CLOCK_ARTICLE = "$ yum install ntp\n$ chkconfig ntpd on\n$ /etc/init.d/ntpd start"
INSTALL_ARTICLE = "$ yum install dovecot-pigeonhole"
LMTP_ARTICLE = """$ protocol lda {
    postmaster_address = postmaster@example.com
    hostname = mail.example.com
  }
  mail_location = Maildir:~/
  userdb {
    driver = sql
    args = /etc/dovecot/dovecot-sql.conf
  }
  service auth {
    unix_listener auth-userdb {
      mode = 0600
      user = mailreader
    }
  }
$ user_query = SELECT '/home/mail/'||maildir AS home, 200 AS uid, 1000 AS gid FROM users WHERE email = '%u'"""
_LMTP = """postmaster_address = postmaster@{{ mail_domain }}
hostname = {{ mail_hostname }}
lda_mailbox_autocreate = yes
lda_mailbox_autosubscribe = yes
lda_original_recipient_header = X-Original-To
service lmtp {
  user = {{ mail_owner }}
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
  # Dovecot's own, in /run/dovecot: by default every user of the host may drop mail there, past all workers.
  unix_listener lmtp {
    mode = 0
  }
}
service auth {
  unix_listener auth-userdb {
    mode = 0600
    user = {{ mail_owner }}
  }
}"""
LMTP = {
    "2.3": f"protocols = imap lmtp\nmail_home = {{{{ mail_home }}}}/.home/%d/%n\n{_LMTP}",
    # 2.4 counts deliveries per user; its counter's socket is root's otherwise
    "2.4": f"""protocols {{
  lmtp = yes
}}
mail_home = {{{{ mail_home }}}}/.home/%{{user|domain}}/%{{user|username}}
{_LMTP}
service anvil {{
  unix_listener anvil {{
    mode = 0660
    group = {{{{ mail_owner }}}}
  }}
}}""",
}

DELIVERY_ARTICLE = """dovecot unix - n n - - pipe
  flags=DRhu user=mailreader:mail argv=/usr/libexec/dovecot/deliver -f ${sender} -d ${recipient}
UPDATE transports SET transport = 'dovecot' WHERE domain = 'example.com';"""
TRANSPORT = "lmtp:unix:private/dovecot-lmtp"
BEFORE = "virtual:"  # chapter 2's
# A line of a letter may be longer than 998 bytes (HTML is): folded, it would no longer be what was signed.
# One delivery to a mailbox at a time (with one recipient each, that is what the limit counts): Pigeonhole's list of what is here
# already (once.sieve) forgets one of two that are written to it at once.
# One refused connection, while Dovecot restarts, must not put off the mail of all for minutes.
DELIVERY = """lmtp_destination_recipient_limit = 1
lmtp_destination_concurrency_limit = 1
lmtp_line_length_limit = 0
lmtp_destination_concurrency_failed_cohort_limit = 0
smtputf8_enable = no"""
SIEVE_ARTICLE = "$ protocol lda {\n    mail_plugins = $mail_plugins sieve\n  }"
SIEVE = {
    "2.3": """protocol lmtp {
  mail_plugins = $mail_plugins sieve
}
plugin {
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_before = /etc/dovecot/sieve/once.sieve
  sieve_redirect_envelope_from = recipient
  sieve_extensions = -reject
}""",
    "2.4": """protocol lmtp {
  mail_plugins {
    sieve = yes
  }
}
sieve_script once {
  type = before
  path = /etc/dovecot/sieve/once.sieve
}
sieve_script personal {
  path = ~/sieve
  active_path = ~/.dovecot.sieve
}
sieve_redirect_envelope_from = recipient
sieve_extensions {
  reject = no
  ereject = no
}""",
}
# A program that dies between handing a letter on and noting that it did hands it on again, and so it should: a letter that comes
# twice is better than none. Here the second one is known by what our own first hop wrote, never by what the sender wrote (who could
# then suppress a letter of somebody else's): the fourth Received line from above, below those of LMTP, of Postfix behind the
# workers, and of Amavis.
ONCE_SCRIPT = """require ["duplicate", "variables", "index"];

# Our first hop's name for this letter, with the time; and the address that it was sent to, since each alias gets a copy.
if header :index 4 :matches "Received" "*by {{ mail_hostname }} (Postfix*) *id *" {
    set "letter" "${4}";
    if header :index 1 :matches "X-Original-To" "*" {
        if duplicate :handle "once" :uniqueid "${letter} ${1}" :seconds 43200 {
            discard;
            stop;
        }
    }
}"""

SPAM_ARTICLE = """# default.sieve
require ["fileinto", "envelope"];
if header :contains "X-Spam-Flag" "YES" {
  fileinto "Spam";
}
if envelope :is "from" "owner@list.example.com" {
  fileinto "List";
}"""
SPAM = {
    "2.3": "plugin {\n  sieve_before2 = /etc/dovecot/sieve/spam.sieve\n}",
    "2.4": "sieve_script spam {\n  type = before\n  path = /etc/dovecot/sieve/spam.sieve\n}",
}
SPAM_SCRIPT = """require "fileinto";

# Amavis sets this header, and takes away what a stranger has put there.
if header :is "X-Spam-Flag" "YES" {
    fileinto "Junk";
    stop; # no script of the user's comes after this one: spam gets no vacation answer
}"""

MANAGESIEVE = {
    "2.3": """protocols = imap lmtp sieve
service managesieve-login {
  service_count = 0
  process_limit = 5
  inet_listener sieve {
    port = 4190
  }
}
plugin {
  sieve_quota_max_scripts = 50
  sieve_quota_max_storage = 1M
}""",
    "2.4": """protocols {
  sieve = yes
}
service managesieve-login {
  restart_request_count = unlimited
  process_limit = 5
  inet_listener sieve {
    port = 4190
  }
}
sieve_quota_script_count = 50
sieve_quota_storage_size = 1M""",
}

VACATION_ARTICLE = """require ["fileinto", "vacation"];
:days 1
:subject "I am on vacation"
:addresses ["foo@example.com, bar@example.com"]
"I am out of the office until Monday.";"""
_VACATION = """sieve_vacation_min_period = 1d
sieve_vacation_default_period = 7d
sieve_vacation_max_period = 60d
sieve_vacation_use_original_recipient = yes"""
VACATION = {
    "2.3": "plugin {\n" + "\n".join(f"  {line}" for line in _VACATION.splitlines()) + "\n}",
    "2.4": _VACATION,
}
VACATION_SCRIPT = """require ["vacation", "envelope"];

# Copy this, change it, upload it with a ManageSieve client (port 4190), and make it the active script.
# Nobody gets an answer who did not write to you in To or Cc; no list, no robot, no bounce, and not you yourself.
# One kind of robot looks like a person, and reads no answer:
if not envelope :localpart :contains "from" ["noreply", "no-reply", "donotreply", "bounce"] {
    vacation
        # The same person gets one answer in so many days: at least 1, at most 60, and 7 if you leave this out.
        :days 7
        :subject "Out of the office until Monday"
        # Your addresses elsewhere that are forwarded to you, each a string of its own. Aliases of this server go without saying.
        :addresses ["foo@example.org", "foo.lastname@example.org"]
        "I read my mail again on Monday. In urgent cases, write to postmaster@{{ mail_domain }}.";
}"""

DEBUGGING_ARTICLE = "$ mail_debug = yes"
DEBUGGING = {
    True: {"2.3": "mail_debug = yes", "2.4": "log_debug = category=mail OR category=sieve"},
    False: {"2.3": "mail_debug = no", "2.4": "log_debug ="},
}
