require ["vacation", "envelope"];

# Copy this, change it, upload it with a ManageSieve client (port 4190), and make it the active script.
# Nobody gets an answer who did not write to you in To or Cc; no list, no robot, no bounce, and not you yourself.
# One kind of robot looks like a person, and reads no answer:
if not envelope :localpart :contains "from" ["noreply", "no-reply", "donotreply", "bounce"] {
    vacation
        # The same person gets one answer in so many days: at least 1, at most 60, and 7 if you leave this out.
        :days 7
        :subject "Out of the office until Monday"
        # Your addresses elsewhere that are forwarded to you, each a string of its own. Aliases of this server go without saying.
        :addresses ["foo@example.org", "foo.lastname@example.org"]
        "I read my mail again on Monday. In urgent cases, write to postmaster@{{ mail_domain }}.";
}
