use strict;
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
# A kept connection is dead once Postfix has restarted, and costs a letter its turn. Without the second line a worker that gets letters
# within five seconds switches keeping on again.
$smtp_connection_cache_enable = 0;
$smtp_connection_cache_on_demand = 0;

# Postfix has taken the message already: to refuse it now would be to write to a forged sender.
$final_virus_destiny = D_DISCARD;
$final_banned_destiny = D_DISCARD;
$final_spam_destiny = D_PASS;
$final_bad_header_destiny = D_PASS;
$virus_admin = undef;
@warnbannedrecip_maps = (1);
$mailfrom_notify_recip = $mailfrom_notify_admin = "postmaster\@$mydomain";

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
1;
