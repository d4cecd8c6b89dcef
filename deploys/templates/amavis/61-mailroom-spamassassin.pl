use strict;
@bypass_spam_checks_maps = ();
$sa_local_tests_only = {{ no_network_tests }};
$sa_mail_body_size_limit = 512*1024;  # of a longer message, SpamAssassin sees the beginning
# Amavis only notes that SpamAssassin failed, and lets the message pass. This one sends it back to the queue.
{ package Mailroom::Verdict;
  sub new { bless {}, shift }
  sub check {
    my ($self, $message) = @_;
    die "SpamAssassin gave no verdict\n" if grep { !defined $_->spam_level } @{$message->per_recip_data};
  }
}
@spam_scanners = (['SpamAssassin', 'Amavis::SpamControl::SpamAssassin'], ['Verdict', 'Mailroom::Verdict']);
1;
