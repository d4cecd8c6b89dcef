{#! Standard output is the archive, so a complaint is all that tells of a file that was left out: libarchive says 0 all the same. !#}
#!/bin/sh
# Made by mailroom, chapter 3. Amavis runs this with a RAR archive on standard input; a tar comes out.
exec 3>&1
complaints=$(bsdtar -cf - @- 2>&1 >&3) && [ -z "$complaints" ]
