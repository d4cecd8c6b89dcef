use strict;
{% if antivirus %}
@bypass_virus_checks_maps = ();
@av_scanners = grep { $_->[0] eq 'ClamAV-clamd' } @av_scanners;
@av_scanners_backup = ();
# Without this line a message passes unchecked while clamd is down.
$virus_scanners_failure_is_fatal = 1;
{% else %}
@bypass_virus_checks_maps = (1);  # antivirus = False
{% endif %}
1;
