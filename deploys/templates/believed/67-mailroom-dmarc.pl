use strict;
# What the owner of a domain asks to do with a letter that nothing proves to be his: DMARC, RFC 7489, and np= of RFC 9091.
# No DNS and no Amavis in here, so that each case can be tried by itself (tests/unit/test_door.py). `$ask` is the DNS:
# $ask->(name, 'TXT') gives a list of texts, $ask->(name) whether there is such a name; undef where it could not be asked.
{ package Mailroom::DMARC;
  our $LIST //= '/usr/share/publicsuffix/public_suffix_list.dat';  # Debian's package publicsuffix
  our $ascii //= sub { Amavis::Util::idn_to_ascii($_[0]) };
  our $many = 10;  # authors of one letter: no honest one has more, and each costs questions
  my %suffix;

  # https://publicsuffix.org/list/
  sub read_suffixes {
    open(my $list, '<', $LIST) or die "cannot read $LIST, of Debian's package publicsuffix: $!\n";
    while (<$list>) {
      next unless m{^(?!//)(!?)(\*?\.?)(\S+)};
      my ($not, $any, $name) = ($1, $2, $3);
      $suffix{$not.$any.($name =~ /[^\x00-\x7F]/ ? $ascii->($name) // $name : $name)} = 1;
    }
    keys %suffix or die "$LIST is empty\n";
  }

  # bbc.co.uk of news.bbc.co.uk
  sub organization {
    return $_[0] if length $_[0] > 253;  # no name of the DNS
    my @labels = split /\./, $_[0];
    for my $n (0 .. $#labels) {  # the longest rule comes first
      my ($name, $above) = map { join '.', @labels[$_ .. $#labels] } $n, $n + 1;
      return $name if $suffix{"!$name"};
      return join '.', @labels[($n ? $n - 1 : 0) .. $#labels] if $suffix{$name} || $suffix{"*.$above"};
    }
    join '.', @labels > 2 ? @labels[-2, -1] : @labels;
  }

  # The tags of a record. It begins with its version, in capitals; of two tags with one name the first one counts.
  sub tags {
    return if length $_[0] > 4096;
    my ($version, @parts) = split /;/, $_[0];
    return unless ($version // '') =~ /\Av[ \t]*=[ \t]*DMARC1[ \t]*\z/;
    my %tags;
    for (@parts) { $tags{lc $1} //= lc $2 if /\A\s*(\w+)\s*=\s*(.*?)\s*\z/s }
    \%tags;
  }

  # What is asked for this domain: {} where nothing is, undef where the DNS gave no answer. Two records, or one with a policy
  # that nobody knows, ask for nothing.
  sub wanted {
    my ($domain, $ask) = @_;
    my $org = organization($domain);
    for my $at ($domain, $domain eq $org ? () : $org) {
      my $texts = $ask->("_dmarc.$at", 'TXT') or return;
      my @found = grep { $_ } map { tags($_) } @$texts or next;
      return {} if @found > 1;
      my ($tags) = @found;
      my @asked = qw(p);
      if ($at ne $domain) {
        unshift @asked, 'sp';
        if (defined $tags->{np}) { my $there = $ask->($domain); unshift @asked, 'np' if defined $there && !$there }
      }
      my ($asked) = grep { defined } @$tags{@asked};
      return {} unless ($asked // '') =~ /\A(?:none|quarantine|reject)\z/;
      # "try it out" (t=y), or "on so many of a hundred" (pct): the others are treated one step milder
      my $share = ($tags->{pct} // '') =~ /\A(\d{1,3})\z/ ? $1 : 100;
      my $milder = ($tags->{t} // '') eq 'y' || rand(100) >= $share;
      my $policy = !$milder ? $asked : $asked eq 'reject' ? 'quarantine' : 'none';
      return { asked => $asked, policy => $policy, map { $_ => ($tags->{$_} // 'r') eq 's' } qw(adkim aspf) };
    }
    {};
  }

  sub aligned {
    my ($proved, $author, $strict) = @_;
    $proved eq $author || !$strict && organization($proved) eq organization($author);
  }

  # The domains of all addresses in these From fields: a letter may have several, and a mail program shows any of them.
  sub authors {
    my @found;
    for (my @fields = @_) {
      tr/ \t\r\n/ /s;  # a megabyte of blanks is one of them
      my $bare = without($_) // $_;
      $bare =~ tr/ //s;
      $bare =~ s/ ?\@ ?/\@/g;
      for my $one (split /[,;]/, $bare) {
        my @inside = $one =~ /<([^<>]*\@[^<>]*)>/g;
        for my $address (@inside ? @inside : grep { /\@/ } split /[\s<>:]+/, $one) {
          my $domain = substr($address, rindex($address, '@') + 1);
          next if length $domain > 1000;
          $domain =~ s/[\s.]+\z//;
          $domain = $ascii->($domain) // $domain if $domain =~ /[^\x00-\x7F]/;
          push @found, lc $domain if $domain =~ /\A[^\s\[\]]+\z/;
        }
      }
    }
    my %seen;
    grep { !$seen{$_}++ } @found;
  }

  # A text without its comments and quoted strings; undef where one of them is never closed.
  sub without {
    my ($text) = @_;
    my ($deep, $out) = (0, '');
    while ($text =~ /\G(?:(\\.)|("(?:[^"\\]++|\\.)*+")|(\()|(\))|([^"\\()]++|.))/gcs) {
      if (defined $2 && !$deep) { $out .= ' ' if $text !~ /\G\@/ }
      elsif (defined $3) { $deep++ }
      elsif (defined $4) { $deep-- if $deep }
      elsif (!$deep) { return if ($5 // '') eq '"'; $out .= $1 // $5 // '' }
    }
    $deep ? undef : $out;
  }

  # pass, fail, none or temperror for one author. What proves: [spf result, domain], and such a pair for each signature.
  sub judged {
    my ($domain, $asked, $spf, @dkim) = @_;
    return 'temperror' unless $asked;
    return 'none' unless $asked->{asked};
    my $unknown;
    for ([$spf, 'aspf'], map { [$_, 'adkim'] } @dkim) {
      my ($result, $proved) = @{$_->[0]};
      next unless defined $proved;
      return 'pass' if $result eq 'pass' && aligned($proved, $domain, $asked->{$_->[1]});
      # Only where the domain itself cannot be asked: a broken name below it is easy to find, and would excuse each forgery.
      $unknown ||= $result eq 'temperror' && ($proved eq $domain || $proved eq organization($domain));
    }
    $unknown ? 'temperror' : 'fail';
  }

  # The first of these sealers that says it has seen the author proved. ARC, RFC 8617: [sealer, what it says], the newest first.
  # Whoever sealed later could have changed all, so nobody who is not trusted may come before.
  sub vouched {
    my ($domain, $asked, $trusted, @sets) = @_;
    for (@sets) {
      my ($sealer, $said) = @$_;
      return unless $trusted->{$sealer};
      for (split /;/, without($said) // '') {
        next unless /\A\s*(dmarc|dkim|spf)\s*=\s*pass(?![\w-])(.*)/is;
        my ($how, $rest) = (lc $1, lc $2);
        my ($of) = $rest =~ ($how eq 'dmarc' ? qr/\bheader\.from\s*=\s*([^\s;]+)/
          : $how eq 'dkim' ? qr/\bheader\.[di]\s*=\s*([^\s;]+)/ : qr/\bsmtp\.mailfrom\s*=\s*([^\s;]+)/);
        $of = ($of // '') =~ /([^\@<>]+)>?\z/ ? $1 : next;
        return $sealer if $how eq 'dmarc' ? $of eq $domain : aligned($of, $domain, $asked->{$how eq 'dkim' ? 'adkim' : 'aspf'});
      }
    }
    return;
  }
}
Mailroom::DMARC::read_suffixes();
1;
