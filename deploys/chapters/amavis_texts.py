"""The texts of chapter 3, as they stand on the host. {{ names }} come from the inventory's data; @ is Perl's @.

Amavis is configured in Perl. Debian reads /etc/amavis/conf.d in the order of the names, ours last.
"""

CLAMAV = """MaxThreads {{ amavis_processes }}
ConcurrentDatabaseReload no
MaxFileSize {{ scan_limit }}
StreamMaxLength {{ scan_limit }}
MaxScanSize {{ scan_limit }}
AlertExceedsMax yes"""
# The package starts clamd only where both of the official files are; own signatures are signatures too.
CLAMAV_START = """[Unit]
ConditionPathExistsGlob=
ConditionPathExistsGlob=/var/lib/clamav/*.{cvd,cld,hdb,ndb}"""
CLAMAV_IN_AMAVIS = {
    True: """use strict;
@bypass_virus_checks_maps = ();
@av_scanners = grep { $_->[0] eq 'ClamAV-clamd' } @av_scanners;
@av_scanners_backup = ();
# Without this line a message passes unchecked while clamd is down.
$virus_scanners_failure_is_fatal = 1;
1;""",
    False: """use strict;
@bypass_virus_checks_maps = (1);  # antivirus = False
1;""",
}

SPAMASSASSIN = """use_bayes 1
bayes_path /var/lib/amavis/.spamassassin/bayes

# Our address in From or Sender of a letter from outside: spam, unless our own key has signed it, or it comes by a mailing
# list that stands up for itself. Not refused: lists and forwarders bring our people's letters back in good faith.
header __MAILROOM_FROM From =~ /(?:\\@|\\xEF\\xBC\\xA0)\\s*(?:{{ mail_domain_pattern }})(?![\\w.-]*\\w)/i
header __MAILROOM_SENDER Sender =~ /\\@\\s*(?:{{ mail_domain_pattern }})(?![\\w.-]*\\w)/i
header __MAILROOM_OUTSIDE X-Spam-Relays-Untrusted =~ /\\S/
header __MAILROOM_LIST exists:List-Id
ifplugin Mail::SpamAssassin::Plugin::DKIM
full __MAILROOM_SIGNED eval:check_dkim_valid_author_sig({{ mail_domain_quoted }})
tflags __MAILROOM_SIGNED net
endif
meta __MAILROOM_VOUCHED __MAILROOM_SIGNED || (__MAILROOM_LIST && {{ list_vouched }})
meta MAILROOM_FORGED_FROM (__MAILROOM_FROM || __MAILROOM_SENDER) && __MAILROOM_OUTSIDE && !__MAILROOM_VOUCHED
describe MAILROOM_FORGED_FROM From or Sender names one of us, and the letter comes from outside
score MAILROOM_FORGED_FROM {{ forged_score }}
"""
SPAMASSASSIN_IN_AMAVIS = """use strict;
@bypass_spam_checks_maps = ();
$sa_local_tests_only = {{ no_network_tests }};
$sa_mail_body_size_limit = 512*1024;  # of a longer message, SpamAssassin sees the beginning
# Amavis only notes that SpamAssassin failed, and lets the message pass. This one sends it back to the queue.
{ package Mailroom::Verdict;
  sub new { bless {}, shift }
  sub check {
    my ($self, $message) = @_;
    die "SpamAssassin gave no verdict\\n" if grep { !defined $_->spam_level } @{$message->per_recip_data};
  }
}
@spam_scanners = (['SpamAssassin', 'Amavis::SpamControl::SpamAssassin'], ['Verdict', 'Mailroom::Verdict']);
1;"""

AMAVIS = """use strict;
$myhostname = '{{ mail_hostname }}';
$mydomain = '{{ mail_domain }}';
@local_domains_maps = ([qw({{ mail_domain_list }} {{ own_domains }})]);
@mynetworks = qw(127.0.0.0/8 [::1]/128);

# 10024: from other servers, 10026: from people who have logged in. Nobody but Postfix on this host may connect.
$inet_socket_bind = '127.0.0.1';
$inet_socket_port = [10024, 10026];
@inet_acl = qw(127.0.0.1);
$max_servers = {{ amavis_processes }};
$forward_method = 'smtp:[127.0.0.1]:10025';
$notify_method = $forward_method;
$smtp_connection_cache_enable = 0;  # a kept connection is dead once Postfix has restarted, and costs a letter its turn

# Postfix has taken the message already: to refuse it now would be to write to a forged sender.
$final_virus_destiny = D_DISCARD;
$final_banned_destiny = D_DISCARD;
$final_spam_destiny = D_PASS;
$final_bad_header_destiny = D_PASS;
$virus_admin = undef;
@warnbannedrecip_maps = (1);
$mailfrom_notify_recip = $mailfrom_notify_admin = "postmaster\\@$mydomain";

$sa_tag_level_deflt = -9999;  # say the score in every message
$sa_tag2_level_deflt = {{ spam_score }};
$sa_kill_level_deflt = 9999;
$remove_existing_x_scanned_headers = 1;  # only ours counts
# Nothing below our own lines is touched: subject, headers and text stay as they were signed. All that Amavis takes away is
# what would pass for ours: X-Spam-*, X-Virus-Scanned, and Authentication-Results in our name.
$sa_spam_subject_tag = $undecipherable_subject_tag = undef;
$allow_fixing_improper_header = 0;
$defang_virus = $defang_banned = $defang_undecipherable = $defang_spam = $defang_bad_header = $defang_all = 0;
$enable_dkim_verification = 1;
$allow_fixing_improper_header = 0;  # a long header line is cut off otherwise, and the letter no longer what was signed

# Who has logged in is known: his message is scanned too, but twice the score is needed to call it spam, and he alone is
# told of a refusal. By Amavis, which returns the headers: Postfix would return the virus with them.
$interface_policy{'10026'} = 'ORIGINATING';
$policy_bank{'ORIGINATING'} = {
  originating => 1,
  spam_tag2_level_maps => [2 * {{ spam_score }}],
  final_virus_destiny => D_BOUNCE,
  final_banned_destiny => D_BOUNCE,
  final_unchecked_destiny => D_BOUNCE,
  viruses_that_fake_sender_maps => [0],
  warnbannedrecip_maps => [0],
};
1;"""

QUARANTINE = """use strict;
$QUARANTINEDIR = '/var/lib/amavis/virusmails';
$quarantine_subdir_levels = 0;
$virus_quarantine_method = 'local:virus-%m';
$banned_files_quarantine_method = 'local:banned-%m';
$spam_quarantine_method = undef;
$bad_header_quarantine_method = undef;
1;"""
EXPIRY = "e /var/lib/amavis/virusmails 0750 amavis amavis {{ quarantine_days }}d"

TO_AMAVIS = "smtp-amavis unix - - {{ chroot }} - {{ amavis_processes }} smtp"
TO_AMAVIS_OPTIONS = """syslog_name=postfix/amavis
smtp_data_done_timeout=1200s
smtp_send_xforward_command=yes
smtp_dns_support_level=disabled
smtp_tls_security_level=none
smtp_line_length_limit=0
disable_mime_output_conversion=yes"""
# Nobody may write to it but port 10025: no limit of the outer door's, in size or in hops, for what has grown by a few lines since.
CHECKED_CLEANUP = "cleanup-checked unix n - {{ chroot }} - 0 cleanup"
CHECKED_CLEANUP_OPTIONS = """message_drop_headers=return-path
message_size_limit=0
hopcount_limit=100"""
# What comes back has been checked on its way in: none of the outer door's rules again, for size, space, syntax, number or manners, or
# what was taken would wait here and never leave the queue. Nothing is added to it as to local mail. No filter again, or it would
# go in circles. Aliases are expanded here, once: Dovecot is told which of them was written to.
BACK = """syslog_name=postfix/reinjection
content_filter=
smtpd_proxy_filter=
receive_override_options=no_unknown_recipient_checks,no_header_body_checks
mynetworks=127.0.0.0/8
smtpd_client_restrictions=permit_mynetworks,reject
smtpd_helo_restrictions=
smtpd_sender_restrictions=
smtpd_relay_restrictions=permit_mynetworks,reject
smtpd_recipient_restrictions=permit_mynetworks,reject
smtpd_data_restrictions=
smtpd_end_of_data_restrictions=
smtpd_milters=
smtpd_command_filter=
smtpd_sasl_auth_enable=no
smtpd_helo_required=no
smtpd_forbid_bare_newline=no
strict_rfc821_envelopes=no
message_size_limit=0
queue_minfree=0
smtpd_recipient_limit=10000
smtpd_timeout=600s
smtpd_error_sleep_time=0
smtpd_soft_error_limit=1001
smtpd_hard_error_limit=1000
smtpd_junk_command_limit=1000
local_header_rewrite_clients=
cleanup_service_name=cleanup-checked
smtpd_authorized_xforward_hosts=127.0.0.0/8
smtpd_tls_security_level=none
smtpd_client_connection_count_limit=0
smtpd_client_connection_rate_limit=0"""

# Postfix would take Amavis for dead after one refused connection, and put off every letter for minutes: each one asks for itself.
FILTER = """content_filter = smtp-amavis:[127.0.0.1]:10024
receive_override_options = no_address_mappings
smtp-amavis_destination_concurrency_failed_cohort_limit = 0"""
# Mail of the host's own programs learns here, before the filter, whom its bare names mean; behind it that cannot be known.
FILTER_LOCAL = "receive_override_options="
FILTER_ORIGINATING = "content_filter=smtp-amavis:[127.0.0.1]:10026"
REFUSE = """content_filter=
smtpd_proxy_filter=127.0.0.1:10028
smtpd_proxy_options=speed_adjust"""
REFUSE_IN_AMAVIS = {
    True: """use strict;
# While the sending server waits for our answer, a refusal is its business: no letter of ours to a forged sender.
push @{$inet_socket_port}, 10028;
$interface_policy{'10028'} = 'REFUSING';
$policy_bank{'REFUSING'} = {
  final_virus_destiny => D_REJECT,
  final_banned_destiny => D_REJECT,
  final_unchecked_destiny => D_REJECT,
  warnbannedrecip_maps => [0],
  final_spam_destiny => D_REJECT,
  spam_kill_level_maps => [{{ spam_refuse_score }}],
};
1;""",
    False: "use strict;\n1;  # spam_refuse_score = None: nothing is refused before the queue",
}
