use strict;
# What a stranger brings is judged once: by SPF, DKIM, ARC and DMARC, and one line of ours says so: Authentication-Results, RFC 8601.
# Who asks to have a forgery refused or filed gets it filed as spam, and never refused: an honest letter that a list has changed
# on its way looks the same. https://www.rfc-editor.org/rfc/rfc7960
{% if spam_network_tests %}
require Mail::SPF;
require Mail::DKIM::ARC::Verifier;
require Net::DNS::Resolver;

# So many seconds for each thing that is asked; whoever has not answered until then could not be asked. Each has its own, or a
# stranger's slow name server would leave none for the domain that he writes as.
{ package Mailroom::Resolver;
  our @ISA = ('Net::DNS::Resolver');
  our $until = 0;
  sub within { $until = time + $_[0] }
  sub send {
    my $self = shift;
    return $self->SUPER::send(@_) if time < $until;
    $self->{errorstring} = 'query timed out';
    return;
  }
}
{% else %}
# spam_network_tests = False: nobody is asked, not even for the keys of signatures, so nothing is proved and nothing filed.
require Mail::DKIM::DNS;
no warnings 'redefine';
*Mail::DKIM::DNS::query = sub { die "DNS error: it is not asked, spam_network_tests = False\n" };
{% endif %}

{ package Mailroom::Door;
  my %trusted = map { $_ => 1 } qw({{ trusted_forwarders | join(" ") }});
  my $resolver;

  # Amavis takes away whoever's line bears our name, and has this one written above the letter of a reader of ours. It loads the
  # code for that after its configuration, so it is replaced when the scanners are made.
  my $amavis;
  sub new {
    my ($class) = @_;
    return bless {}, $class if $amavis;
    $amavis = \&Amavis::DKIM::generate_authentication_results;
    no warnings qw(redefine prototype);
    *Amavis::DKIM::generate_authentication_results = sub {
      my $said = $_[0]->{mailroom_door};
      defined $said && @_ < 3 ? "{{ mail_hostname }};\n $said" : &$amavis;
    };
    bless {}, $class;
  }

  # A scanner among the others, and the last of them. It never holds a letter up: whatever fails here is as if nobody had asked.
  sub check {
    my ($self, $msginfo) = @_;
    my $port = $msginfo->conn_obj->socket_port;
    my $ip = $msginfo->client_addr // '';
    return if $msginfo->originating || $port != 10024 && $port != 10028 || $ip =~ /\A(?:127\.|::1\z|\z)/;
    my ($said, @filed) = ('none');
    eval { ($said, @filed) = judged($msginfo, $ip); 1 } or do {
      Amavis::Util::do_log(-1, 'mailroom door: %s; not judged', "$@" =~ s/\s+/ /gr);
      $said = 'none';
    };
    $msginfo->{mailroom_door} = $said;
    Amavis::Util::do_log(0, 'mailroom door: %s%s', @filed ? "filed for @filed: " : '', $said =~ s/[\s;]+/ /gr);
    return unless @filed;
    for my $reader (@{$msginfo->per_recip_data}) {
      my $level = $reader->spam_level;
      next if !defined $level;  # Mailroom::Verdict sends that one back
      my $more = $level < {{ spam_score }} ? {{ spam_score }} - $level : 0;
      $reader->spam_level({{ spam_score }}) if $more;  # as much as it takes to be filed, and too little to be refused
      my $why = sprintf 'MAILROOM_DMARC=%.3f', $more;
      $reader->spam_tests([@{$reader->spam_tests || []}, \$why]);
    }
  }

{% if spam_network_tests %}
  # The line, and the authors whose domain asks to file it.
  sub judged {
    my ($msginfo, $ip) = @_;
    $resolver ||= Mailroom::Resolver->new(config_file => '/etc/resolv.conf', defnames => 0, dnsrch => 0,
      retry => 2, retrans => 2, udp_timeout => 3, tcp_timeout => 3);
    my @from = map { s/\A[^:]*://r } grep { /\AFrom[ \t]*:/i } @{$msginfo->orig_header};
    # What a stranger writes so that one of these fails proves nothing, and does not save him from the rest.
    my $spf = eval { spf($msginfo, $ip) } || ['permerror', '', 'smtp.mailfrom=invalid'];
    my @dkim = map { my $one = $_; eval { dkim($one, scalar @from) } || () } @{$msginfo->dkim_signatures_all || []};
    my ($arc, @sets) = eval { arc($msginfo, scalar @from) };
    $arc //= 'fail';
    my @said = ("spf=$spf->[0] $spf->[2]", map { "dkim=$_->[0]$_->[2]" } @dkim);
    push @said, 'dkim=none' unless @dkim;
    push @said, "arc=$arc" if $arc ne 'none';
    my @filed;
    my @authors = Mailroom::DMARC::authors(@from);
    for my $author (splice @authors, 0, $Mailroom::DMARC::many) {
      Mailroom::Resolver::within(10);
      my $asked = Mailroom::DMARC::wanted($author, \&ask);
      my $result = Mailroom::DMARC::judged($author, $asked, $spf, @dkim);
      $result = 'temperror' if $result eq 'fail' && $arc eq 'temperror';
      my $how = $asked && $asked->{asked} ? "p=$asked->{asked}" : '';
      if ($result eq 'fail') {
        my $sealer = Mailroom::DMARC::vouched($author, $asked, \%trusted, @sets);
        $how .= ", taken as $asked->{policy}" if $asked->{policy} ne $asked->{asked};
        $how .= ", but $sealer has seen it proved" if $sealer;
        push @filed, $author if !$sealer && $asked->{policy} ne 'none';
      }
      push @said, "dmarc=$result" . ($how && " ($how)") . ' header.from=' . word($author);
    }
    join(";\n ", @said), @filed;
  }

  # [result, domain, its property]. A bounce has no sender: then it is the name in HELO (RFC 7208, 2.4).
  sub spf {
    my ($msginfo, $ip) = @_;
    Mailroom::Resolver::within(15);
    my ($sender, $helo) = ($msginfo->sender // '', lc($msginfo->client_helo // ''));
    my ($domain) = $sender =~ /\@([^\@]*)\z/;
    my $whose = defined $domain ? 'smtp.mailfrom' : 'smtp.helo';
    $domain = Amavis::Util::idn_to_ascii($domain // $helo) // '';
    $domain =~ s/\.\z//;
    my $result = 'none';
    if ($domain =~ /\A[^\s\[\]:]+\.[^\s\[\]:]+\z/) {
      $sender =~ s/\@[^\@]*\z/\@$domain/;
      my $server = Mail::SPF::Server->new(dns_resolver => $resolver, hostname => '{{ mail_hostname }}');
      $result = eval {
        $server->process(Mail::SPF::Request->new(versions => [1], ip_address => $ip, helo_identity => $helo || 'unknown',
          $whose eq 'smtp.helo' ? (scope => 'helo', identity => $domain) : (scope => 'mfrom', identity => $sender)))->code;
      } || 'permerror';
    }
    [$result, lc $domain, "$whose=" . word($domain)];
  }

  # The same for a signature. One that holds counts only if it covers what a reader sees: each From, the whole text; and if it is
  # not of a kind that others can make (RFC 8301: rsa-sha1, RSA below 1024 bits).
  sub dkim {
    my ($signature, $froms) = @_;
    return if $signature->isa('Mail::DKIM::DkSignature');
    my ($result, $detail, $why) = (lc($signature->result // ''), $signature->result_detail // '', '');
    if ($result eq 'pass') {
      $why = weak($signature, $froms);
      $result = 'policy' if $why;
    } elsif ($result ne 'fail') {
      $result = $detail =~ /DNS error|DNS query timeout/ ? 'temperror' : 'permerror';
    }
    $why ||= $1 if $result ne 'pass' && $detail =~ /\((?:[^:()]*: )?([\w .-]{1,60})/;
    my $domain = lc(Amavis::Util::idn_to_ascii($signature->domain) // '');
    my ($mark) = ($signature->data // '') =~ m{\A\s*([A-Za-z0-9+/]{8})};
    [$result, $domain, ($why && " ($why)") . ' header.d=' . word($domain) . ' header.s=' . word($signature->selector // '')
      . ($mark ? " header.b=\"$mark\"" : '')];
  }

  sub weak {
    my ($signature, $froms) = @_;
    my $covered = grep { /\A\s*from\s*\z/i } split /:/, $signature->get_tag('h') // '';
    return 'not all From signed' if $covered < $froms;
    return 'l= leaves text unsigned' if defined $signature->get_tag('l');
    return 'rsa-sha1' if lc($signature->algorithm // '') eq 'rsa-sha1';
    my $key = eval { $signature->get_public_key };
    my $bits = $key && lc($key->get_tag('k') || 'rsa') eq 'rsa' ? eval { $key->cork->size * 8 } : 0;
    return $bits && $bits < 1024 ? "$bits bit key" : '';
  }

  # ARC: none, fail, temperror or pass, and then [sealer, what it says] of each set, the newest first. Mail::DKIM finds the fields of a set
  # by a looser form than the standard's, so their number and form are held here first.
  sub arc {
    my ($msginfo, $froms) = @_;
    my %fields;
    for (@{$msginfo->orig_header}) { push @{$fields{lc $1}}, $_ if /\A(ARC-[\w-]+)[ \t]*:/i }
    return 'none' unless %fields;
    my @said = @{$fields{'arc-authentication-results'} || []};
    my %said = map { /\AARC-Authentication-Results:\s*i=(\d+)\s*;(.*)\z/is ? ($1 => $2) : () } @said;
    my $sets = @said;
    return 'fail' if $sets > 20 || grep { @{$fields{$_} || []} != $sets } 'arc-seal', 'arc-message-signature';
    return 'fail' if grep { !defined $said{$_} } 1 .. $sets;
    Mailroom::Resolver::within(15);
    my $asked = Mail::DKIM::DNS::resolver();
    Mail::DKIM::DNS::resolver($resolver);
    my $verifier = Mail::DKIM::ARC::Verifier->new(Strict => 1);
    my $read = eval { fed($msginfo, $verifier) };
    Mail::DKIM::DNS::resolver($asked) if $asked;
    return 'fail' unless $read;
    my (%seals, %texts);
    for ($verifier->signatures) { ($_->isa('Mail::DKIM::ARC::Seal') ? \%seals : \%texts)->{$_->instance // ''} = $_ }
    if (lc($verifier->result // '') ne 'pass') {
      # Did nobody answer for the key of a sealer whom the operator trusts? Asked alone: those below it may have been slow on purpose.
      my $newest = $seals{$sets} or return 'fail';
      return 'fail' unless $trusted{lc($newest->domain // '')};
      Mailroom::Resolver::within(10);
      return ask(lc(($newest->selector // '') . '._domainkey.' . $newest->domain), 'TXT') ? 'fail' : 'temperror';
    }
    return 'fail' if !$texts{$sets} || weak($texts{$sets}, $froms);
    'pass', map { [lc $seals{$_}->domain, $said{$_}] } reverse 1 .. $sets;
  }

  # The whole letter, with the line ends of SMTP.
  sub fed {
    my ($msginfo, $verifier) = @_;
    $verifier->PRINT(join('', @{$msginfo->orig_header}) =~ s/\n/\015\012/gr . "\015\012");
    my ($text, $start) = ($msginfo->mail_text_str || $msginfo->mail_text, $msginfo->body_start_pos);
    $text->seek($start, 0) or die "cannot read the letter again: $!" if ref $text ne 'SCALAR';
    for (my $at = $start; ; $at += 65536) {
      my $some = '';
      if (ref $text eq 'SCALAR') { $some = $at < length $$text ? substr($$text, $at, 65536) : '' }
      else { defined $text->read($some, 65536) or die "cannot read the letter again: $!" }
      last if $some eq '';
      $verifier->PRINT($some =~ s/\n/\015\012/gr);
    }
    $verifier->CLOSE;
    1;
  }

  # Mailroom::DMARC's DNS. A name that cannot be is one that is not there.
  sub ask {
    my ($name, $type) = @_;
    return $type ? [] : 0 if grep { !length || length > 63 } split(/\./, $name, -1) or length $name > 253;
    for my $kind ($type || qw(A AAAA MX)) {
      my $packet = eval { $resolver->send($name, $kind) } or return;
      my $code = $packet->header->rcode;
      return if $code ne 'NOERROR' && $code ne 'NXDOMAIN';
      my @found = grep { $_->type eq $kind } $packet->answer;  # behind a CNAME, too
      return [map { join '', $_->txtdata } @found] if $type;
      return 0 if $code eq 'NXDOMAIN';
      return 1 if @found;
    }
    0;
  }

  # Names are a stranger's words: no other sign gets into our line.
  sub word { $_[0] =~ /\A[\w.-]{1,253}\z/a ? lc $_[0] : 'invalid' }
{% else %}
  sub judged { 'none' }
{% endif %}
}
push @spam_scanners, ['Door', 'Mailroom::Door'];
{% if spam_refuse_score == spam_score %}
# Both scores are the same: what is filed for DMARC alone would be refused.
$policy_bank{'REFUSING'}{spam_kill_level_maps} = [{{ spam_refuse_score }} + 0.001];
{% endif %}
1;
