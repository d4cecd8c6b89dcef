#!/usr/bin/perl
# Made by mailroom, chapter 4. Postfix asks this program, a milter, about each letter of somebody who has logged in.
# The rule: every address that stands in From, Sender, Resent-From or Resent-Sender, in a name or a comment too, belongs
# to the login. Whose it is says the same map that Postfix asks about the envelope.
use strict;
use warnings;
use Encode ();
use IO::Select;
use Unicode::Normalize ();

my $map     = 'pgsql:/etc/postfix/pgsql/senders.cf';
my %judged  = map { $_ => 1 } qw(from sender resent-from resent-sender);
my $atom    = qr/[A-Za-z0-9!#\$%&'*+\/=?^_`{|}~.-]+/;
my $longest = 4000;    # bytes of a field
my $most    = 10;      # addresses of a letter
my $whole   = 59_000;  # bytes of any field: where a milter is asked, Postfix keeps 60,000 and drops the rest unseen

# The events that we do without, and headers that need no answer of ours (libmilter/mfdef.h, SMFIP_*).
my $skip = 0x1 | 0x2 | 0x8 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200;

# The addresses in a field, and those in its names and comments. Nothing where it is not plainly `Name <address>, …`:
# what two programs may read in two ways is refused.
sub addresses {
    my ($field) = @_;
    $field =~ s/\r?\n(?=[ \t])//g;
    return if length $field > $longest or $field =~ /[\x00-\x08\x0a-\x1f\x7f]/;
    my (@found, @names, @words, $angle, $plain);
    my $mailbox = sub {
        my $address = defined $angle ? $angle : @words == 1 && $plain ? shift @words : return;
        $address =~ /^$atom\@[A-Za-z0-9.-]+$/ or return;
        push @found, $address;
        push @names, join ' ', @words;
        (@words, $angle, $plain) = ();
        return 1;
    };
    for ($field) {
        while (/\G\s*(?=\S)/gc) {
            if (/\G(?<comment>\((?:[^()\\]|\\.|(?&comment))*\))/gcs) { push @names, unescaped($1) }
            elsif (/\G,/gc) { $mailbox->() or return }
            elsif (defined $angle) { return }    # behind the address comes nothing but a comment
            elsif (/\G"((?:[^"\\]|\\.)*)"/gcs) { push @words, unescaped($1) }
            elsif (/\G<\s*([^<>]*?)\s*>/gc) { $angle = $1 }
            elsif (/\G([^\s()<>"\\,;:\[\]]+)/gc) { push @words, $1; $plain = 1 }
            else { return }
        }
    }
    $mailbox->() or return;
    return (@found, map { in_name($_) } @names);
}

sub unescaped { my ($text) = @_; $text =~ s/\\(.)/$1/gs; return $text }

# What looks like an address to the reader of a name: encoded words decoded, wide and invisible characters made plain.
sub in_name {
    my ($text) = @_;
    $text =~ s/(\?=)\s+(?==\?)/$1/g;
    my $known = eval { Encode::decode('UTF-8', $text, Encode::FB_CROAK | Encode::LEAVE_SRC) } // $text;
    my $shown = eval { Encode::decode('MIME-Header', $known) } // $known;
    # in a charset that is unknown here, and may be known there
    $shown = Encode::decode('MIME-Header', $shown) if $shown =~ s/=\?[^?\s]+\?([bq])\?/=?iso-8859-1?$1?/gi;
    $shown = Unicode::Normalize::NFKC($shown);
    $shown =~ s/\p{Cf}//g;
    $shown =~ s/\s*\@\s*/\@/g;
    my $part = qr/[^\s<>()\[\]"',;:|@]+/;
    return $shown =~ /($part\@$part\.$part)/g;
}

# 1: the login may write under this address; 0: it may not; undef: nobody could be asked.
sub owns {
    my ($login, $address) = @_;
    my ($local, $domain) = lc($address) =~ /^(.+)\@(.+)$/s or return 0;
    (my $base = $local) =~ s/(?<=.)\+.*//s;
    for my $one ($local eq $base ? $local : ($local, $base)) {
        return 1 if "$one\@$domain" eq lc $login;
        next if "$one\@$domain" =~ /[^\x21-\x7e]/;    # no address of ours
        my @ask = ('exec timeout 5 postmap -q "$1" "$2" 2>&1', 'sh', "$one\@$domain", $map);
        open my $answer, '-|', 'sh', '-c', @ask or return;
        my @lines = <$answer>;
        close $answer;
        return if $? >> 8 > 1 or $? & 127 or grep { /^postmap: / } @lines;
        my @owners = map { split /[,\s]+/ } @lines;
        return 1 if grep { lc eq lc $login } @owners;
        return 0 if @owners;    # somebody else's, whatever the part before the + says
    }
    return 0;
}

# What Postfix is to answer: undef for "go on".
sub verdict {
    my ($login, @fields) = @_;
    return if $login eq '';
    return '550 5.6.0 a letter has one From, and this one has ' . grep { $_->[0] eq 'from' } @fields
        if 1 != grep { $_->[0] eq 'from' } @fields;
    my %seen;
    for (@fields) {
        my ($name, $value) = @$_;
        my @found = addresses($value)
            or return "550 5.6.0 the field $name cannot be read; write it as Name <address>";
        for my $address (@found) {
            next if $seen{lc $address}++;
            return '550 5.6.0 too many addresses in From and Sender' if keys %seen > $most;
            my $own = owns($login, $address);
            return '451 4.3.0 whose address that is cannot be asked right now' if !defined $own;
            (my $shown = $address) =~ s/[^\w.@+=-]/?/ga;
            return sprintf '550 5.7.1 the field %s names %.100s, which is not an address of %s', $name, $shown, $login
                if !$own;
        }
    }
    return;
}

# One event of the milter protocol: what goes back, if anything.
sub answer {
    my ($session, $event, $data) = @_;
    if ($event eq 'O') {
        my ($version, undef, $offered) = unpack 'N3', $data;
        $session->{quiet} = $offered & 0x80;
        return 'O' . pack 'N3', $version < 6 ? $version : 6, 0, $skip & $offered;
    }
    if ($event eq 'D') {
        return if $data !~ s/^M//;
        my %macro = (split(/\0/, $data, -1), '');
        @$session{qw(login fields long)} = ($macro{'{auth_authen}'} // '', [], undef);
        return;
    }
    if ($event eq 'L') {
        my ($name, $value) = split /\0/, $data, -1;
        $name = lc $name =~ s/\s+$//r;
        push @{$session->{fields}}, [$name, $value] if $judged{$name};
        $session->{long} = $name if length $data > $whole;
        return $session->{quiet} ? undef : 'c';
    }
    if ($event eq 'E') {
        my $refusal = defined $session->{long} ? sprintf '550 5.6.0 the field %.60s is longer than a letter can have here', $session->{long}
            : verdict($session->{login} // '', @{$session->{fields} // []});
        $session->{fields} = [];
        return defined $refusal ? "y$refusal\0" : 'c';
    }
    if ($event =~ /[AK]/) { $session->{fields} = []; return }
    return 'c';
}

sub main {
    open my $door, '+<&=', 3 or die "systemd hands over no socket: $!\n";
    $SIG{PIPE} = 'IGNORE';
    my $select = IO::Select->new($door);
    my %sessions;
    while (1) {
        for my $handle ($select->can_read) {
            if ($handle == $door) {
                accept my $new, $door or next;
                $select->add($new);
                $sessions{$new} = {in => ''};
                next;
            }
            my $session = $sessions{$handle};
            my $open = sysread $handle, $session->{in}, 65536, length $session->{in};
            while ($open and length $session->{in} >= 5) {
                my $length = unpack 'N', $session->{in};
                if (!$length or $length > 1 << 20) { $open = 0; last }
                last if length $session->{in} < 4 + $length;
                my ($event, $data) = unpack "x4 a1 a@{[$length - 1]}", $session->{in};
                substr $session->{in}, 0, 4 + $length, '';
                if ($event eq 'Q') { $open = 0; last }
                my $reply = answer($session, $event, $data);
                $open = syswrite $handle, pack 'N/a*', $reply if defined $reply;
            }
            next if $open;
            $select->remove($handle);
            delete $sessions{$handle};
            close $handle;
        }
    }
}

main() if !caller;
1;
