use strict;
$QUARANTINEDIR = '/var/lib/amavis/virusmails';
$quarantine_subdir_levels = 0;
$virus_quarantine_method = 'local:virus-%m';
$banned_files_quarantine_method = 'local:banned-%m';
$spam_quarantine_method = undef;
$bad_header_quarantine_method = undef;
1;
