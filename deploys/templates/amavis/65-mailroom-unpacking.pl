use strict;
# A letter may unpack to four times what it may weigh, however well it was packed. Of what is larger, deeper or more, Amavis
# would look at the beginning and let it pass; ours is held.
$MAXLEVELS = 20;
$MAXFILES = 5000;
$MIN_EXPANSION_QUOTA = $MAX_EXPANSION_QUOTA = {{ scan_limit }};
$final_unchecked_destiny = D_DISCARD;
for my $what (2, 3) {  # over a limit; MIME that can be read in two ways
  $final_destiny_maps_by_ccat{CC_UNCHECKED.",$what"} = sub { c('final_unchecked_destiny') };
  $quarantine_method_by_ccat{CC_UNCHECKED.",$what"} = 'local:unchecked-%m';
  $quarantine_to_maps_by_ccat{CC_UNCHECKED.",$what"} = sub { ca('unchecked_quarantine_to_maps') };
  $warnrecip_maps_by_ccat{CC_UNCHECKED.",$what"} = sub { ca('warnbannedrecip_maps') };
}
$final_destiny_maps_by_ccat{+CC_UNCHECKED} = D_PASS;  # a letter sealed with PGP
# clamd has limits too. What is over one of them has no virus, as far as it looked: the reader is told.
@virus_name_to_policy_bank_maps = (new_RE([qr'^Heuristics\.Limits\.Exceeded' => 'LIMITS']));
$policy_bank{'LIMITS'} = { warnvirusrecip_maps => [1] };

# Debian has no free program for three kinds of Amavis's list, and 7z opens no RAR: our own program makes it a tar.
@decoders = grep { ref $_->[0] || $_->[0] !~ /^(?:F|zoo|doc|rar)$/ } @decoders;
unshift @decoders,
  # A letter in a letter. Amavis's own code for it fails: it takes the part for an open file.
  ['mail', sub { my ($part, $dir) = @_; Amavis::Unpackers::MIME::mime_decode($part->base_name, $dir, $part); 2 }],
  ['rar', \&Amavis::Unpackers::do_uncompress, '/usr/local/lib/mailroom/unrar'],
  ['lzip', \&Amavis::Unpackers::do_uncompress, 'lzip -dc'],
  [[qw(asc txt dat)], sub {  # yEnc: mail programs make a file of it, and nothing here does
    open(my $text, '<', $_[0]->full_name) or die "cannot read it: $!";
    local $/ = \65536;
    for (my $before = ''; defined(my $block = <$text>); $before = substr($block, -9)) {
      return $_[0]->attributes_add('U') && 0 if "$before$block" =~ /^=ybegin /m;
    }
    0;
  }];
# file(1) knows more of what can hold files than Amavis does. 7z and libarchive open them.
unshift @$map_full_type_to_short_type_re,
  [qr/^(?:SMTP|RFC 822|news or) mail/i => 'mail'],
  [qr/^lzma compressed/i => 'lzma'],
  [qr/^lzip compressed/i => 'lzip'],
  [qr/^(?:Java archive|OpenDocument|EPUB|Microsoft (?:Word|Excel|PowerPoint) 2007\+|Microsoft OOXML)/ => 'zip'],
  [qr/^(?:UDF filesystem|Windows imaging|Microsoft Disk Image|xar archive|VMware|QEMU)/i => 'iso'];
# A decoder that fails leaves a line in the log, and the part as if there were nothing in it. Ours says "not looked at".
for my $decoder (@decoders) {
  my $unpack = $decoder->[1];
  $decoder->[1] = sub {
    my $done = eval { &$unpack };
    return $done unless my $failed = $@;
    $_[0]->attributes_add('U');
    die $failed;
  };
}

# Two Content-Types, or an encoding that only some programs know: another reader sees another letter than the workers did.
my $traverse = \&Amavis::Unpackers::MIME::mime_traverse;
my $differ = sub { my %seen = map { lc, 1 } @_; keys %seen > 1 };
no warnings 'redefine';
*Amavis::Unpackers::MIME::mime_traverse = sub {
  my ($entity, $dir, $parent) = @_;
  my @types = $entity->head->get_all('Content-Type');
  my @codes = $entity->head->get_all('Content-Transfer-Encoding');
  &$traverse;
  $parent->children->[-1]->attributes_add('B')
    if $differ->(@codes) || $differ->(@types) && grep { m{^\s*(?:multipart|message)/}i } @types
    or grep { /base64|quoted|uue|yenc/i && !MIME::Decoder->supported($entity->head->mime_encoding) } @codes;
};

# What Windows runs, by its content or its name. Not .com: www.example.com is a page that somebody sends, and a program that
# is called so is known by its content. Nor what the sender's mail program calls it: that goes by the name, too.
$banned_filename_re = new_RE(
  qr'^\.(?:exe-ms|dll)$',
  qr'.\.(?:exe|scr|pif|cpl|bat|cmd|vbs|vbe|jse|wsf|wsh|hta|msi|msp|lnk|scf)[. ]*$'i,
  qr'\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$'i,  # a Windows class, as the end of a name
  qr'^application/hta$'i,
  qr'^\.(?:ace|zoo|sit|F|installshield)$',  # archives that nobody here can open
);
{% if encrypted_archives == "hold" %}
# An archive with a password is what nobody can look into before its reader does. A letter sealed with PGP is not an archive.
$banned_namepath_re = new_RE(
  qr'(?#cannot be looked into) ^ (?! .*\tM=[^\t]*/[^\t]*encrypted(?:\t|$) (?! .*\tT=(?!asc|txt|pgp|dat|empty))) .*\tA=U'xm,
);
{% else %}
# encrypted_archives = "pass"; what is broken is held all the same.
$banned_namepath_re = new_RE(
  qr'(?#cannot be looked into) ^ (?! .*\tA=C) (?! .*\tM=[^\t]*/[^\t]*encrypted(?:\t|$)) .*\tA=U'xm,
);
{% endif %}
1;
