use strict;
# Our people's letters (10026) and those that this host's own programs write (10027) are signed for the domain in From. Never a
# stranger's letter, and never what the workers take for spam: whoever got one signed by us could send it to everybody.
$enable_dkim_signing = 1;
# Which key of a domain signs is in its file `signing`, first word; `python -m postmaster dkim switch` changes that. Mail that nobody
# signs is better than an Amavis that does not start, and no mail.
for my $domain (qw({{ mail_domain_list }})) {
  my $line;
  if (open(my $file, '<', "{{ folder }}/$domain/signing")) { $line = <$file>; close($file) }
  my ($selector) = ($line // '') =~ /^([a-z0-9-]+)\s/;
  my $key = "{{ folder }}/$domain/" . ($selector // '') . '.pem';
  if (defined $selector && -r $key) { dkim_key($domain, $selector, $key) }
  else { warn "{{ folder }}/$domain/signing names no key that can be read: letters of $domain are not signed\n" }
}
# Blanks and folding may change on the way, words may not.
@dkim_signature_options_bysender_maps = ({ '.' => { a => 'rsa-sha256', c => 'relaxed/relaxed' } });
# Amavis signs what RFC 6376 (5.4.1) recommends, and also that there is one From, Date, Subject and Content-Type: a second From
# above the signed one breaks the signature. Ours signs To and Cc too, so that a letter to one reader cannot be sent to another
# as if it were for him; and no Received, which a hop may take away.
$signed_header_fields{$_} = 1 for qw(to cc);
$signed_header_fields{received} = 0;

# What Postfix's pickup takes from programs of this host. In all else this is 10024.
push @{$inet_socket_port}, 10027;
my %ours = map { $_ => 1 } qw({{ mail_domain_list }});
my $begin = \&Amavis::Custom::new;
no warnings 'redefine';
*Amavis::Custom::new = sub {
  my ($class, $conn, $msginfo) = @_;
  if ($conn->socket_port == 10027) {
    # A letter that was written here has one Received line, Postfix's own. With more it is only sent on from here (by a user's
    # Sieve script), and whoever wrote it may have put our name into From.
    my $sent_on = defined $msginfo->get_header_field('received', 1);
    my @authors = map { ref $_ ? @$_ : $_ // '' } $msginfo->rfc2822_from;
    my @others = grep { !/\@([^\@]*)\z/ || !$ours{lc $1} } @authors;
    $msginfo->originating(1) unless $sent_on || @others || !@authors;
  }
  &$begin;
};
1;
