"""Chapter 6, the roads that our letters take to others."""

from deploys.context import data, platform
from deploys.misfits import unsigned
from deploys.restart import restart_changed
from deploys.step import step
from deploys.texts import filled, settings
from operations import files, packages, postfix
from operations import relay as relays

RELAY_PASSWORD = "/etc/postfix/mailroom-relay"
SYSTEMS_CAS = "/etc/ssl/certs/ca-certificates.crt"


@step("Chapter 6: a relay", needs="amavis.filter", today="postconf relayhost default_transport; mailq", fit=unsigned)
def relay() -> None:
    """All mail for others leaves by the provider's server, where the provider blocks port 25 (relayhost). Without one, nothing here.

    A service of its own has TLS and the password, so that nothing else that Postfix sends, to Amavis above all, is changed by it. TLS is
    required and the certificate has to be the relay's (secure), or no password is sent; then PLAIN and LOGIN hide nothing that TLS does
    not. main.cf's relayhost names it, since with that name Postfix keeps mail where a nameserver does not know the relay, and
    bounces none. The table is read by root, as text: no index of it is left behind.
    https://www.postfix.org/SASL_README.html#client_sasl https://www.postfix.org/TLS_README.html#client_tls_secure
    """
    known, service = data(), "mailroom-relay"
    if known.relayhost is None:
        relays.no_road(name="Mail goes to its receivers directly", transport=service)
        relays.no_service(name="No relay in master.cf", service=f"{service}/unix")
        files.file(name="No password for a relay", path=RELAY_PASSWORD, present=False)
        restart_changed()
        relays.retry(name="Mail that has waited", transport=service)
        return
    host, _, port = known.relayhost.rpartition(":")
    relayed = f"[{host}]:{port}"  # in brackets: this host, and not where its mail goes (MX)
    if known.relayhost_user:
        packages.packages(
            name="PLAIN and LOGIN for Postfix", packages=platform().packages["relay"], managers=platform().managers
        )
        login = f"{relayed} {known.relayhost_user}:{known.secrets.services['relayhost']}"
        files.put(name="The password for the relay", dest=RELAY_PASSWORD, text=login, mode="600")
    wrapped = known.relayhost_tls == "wrapped" or (known.relayhost_tls is None and port == "465")
    options = {
        **settings("""
            smtp_tls_security_level=secure
            smtp_tls_secure_cert_match=nexthop
            smtp_tls_policy_maps=
            smtp_tls_CApath=
            smtp_tls_mandatory_protocols=>=TLSv1.2
            smtp_sasl_security_options=noanonymous
            smtp_sasl_tls_security_options=noanonymous
            smtp_sasl_mechanism_filter=plain,login
            """),
        "smtp_tls_CAfile": known.relayhost_ca or SYSTEMS_CAS,
        "smtp_tls_wrappermode": "yes" if wrapped else "no",
        "smtp_sasl_auth_enable": "yes" if known.relayhost_user else "no",
        "smtp_sasl_password_maps": f"texthash:{RELAY_PASSWORD}" if known.relayhost_user else "",
    }
    columns = filled(f"{service} unix - - {{{{ chroot }}}} - - smtp")
    postfix.master_cf(name="The way to the relay", service=f"{service}/unix", entry=columns)
    postfix.overrides(name="TLS and login there", service=f"{service}/unix", settings=options)
    if not known.relayhost_user:
        files.file(name="No password for the relay", path=RELAY_PASSWORD, present=False)
    wanted = {"relayhost": relayed, "default_transport": service}
    postfix.main_cf(name="Mail for others goes to the relay", settings=wanted)
    restart_changed()
    relays.retry(name="Mail that has waited", transport=service)
