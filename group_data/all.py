"""Every knob with its default. A host or a group of the inventory may set its own; no secret stands here."""

# Who we are. mail_hostname is the name that clients connect to and that the certificate carries (an FQDN);
# None takes the inventory's name of the host.
mail_hostname = None
mail_domains = ["example.test"]  # domains that we receive mail for; the first one is also where local mail comes from

# The accounts. Passwords stand in accounts_file, never here: {"foo@example.test": "password or {SCHEME}hash"}.
mail_users = [
    {"email": "foo@example.test", "name": "Foo Lastname"},
    {"email": "bar@example.test", "name": "Bar Lastname"},
]
mail_aliases: dict[str, list[str]] = {}  # "sales@example.test": ["foo@example.test", "bar@example.test"]
mail_postmaster = None  # who gets postmaster@, abuse@ and root's mail; None is the first user
prune_accounts = False  # delete rows that are not in the data any more (mail on the disk stays)
password_scheme = None  # ARGON2ID or SHA512-CRYPT; None takes the better one that the system's Dovecot can verify

# Secrets, on the controller, mode 0600: accounts as above, and {"mailreader": "the database role's password"}.
accounts_file = "secrets/accounts.json"
secrets_file = "secrets/secrets.json"

# The Unix owner of the mail. Not the database role: two identities. 200 is the article's number.
mail_owner = "vmail"
mail_uid = 200
mail_gid = 200
mail_home = "/home/mail"

# The certificate for Postfix and Dovecot. self_signed = False: the operator's own pair, which has to be there already.
tls_self_signed = True
tls_certificate = "/etc/postfix/certs/cert.pem"
tls_key = "/etc/postfix/certs/key.pem"

# The trusty workers (chapter 3). A server of 2 GB carries them as they are; one of 1 GB wants antivirus = False.
antivirus = True  # ClamAV's signatures take 1 to 1.3 GB of memory
amavis_processes = 2  # messages that are looked at at the same time; some 60 MB each, beside 60 for the first
signature_updates = True  # freshclam fetches ClamAV's signatures, sa-update SpamAssassin's rules
virus_signatures: list[str] = []  # your own, as lines of a .hdb file: "MD5:size:name"
spam_score = 5.0  # from here on a message is spam: marked, and filed into Junk (chapter 5)
spam_refuse_score: float | None = None  # from here on port 25 refuses it with 554, while the sender waits; None: never
spam_network_tests = True  # SpamAssassin asks DNS blocklists and the sender's SPF and DKIM records
quarantine_days = 30  # how long held mail is kept

# Filtering and time (chapter 5)
time_sources: list[str] = []  # servers that chrony asks for the time; [] keeps the distribution's own
mail_debug = False  # log what Dovecot and Sieve do with each message

message_size_limit = 26214400  # bytes, 25 MiB as sent (a 18 MB attachment)
