"""What a step asks for: this host's checked data, and its column of the table of systems. The preflight puts both there."""

from pyinfra import host

from deploys.data import MailData
from deploys.platforms import Platform

DATA = "mailroom.data"
PLATFORM = "mailroom.platform"
TOLD = "mailroom.told"  # what all steps say to the operations on this host (deploys.told)


def data() -> MailData:
    """This host's checked data."""
    return host.connector_data[DATA]


def platform() -> Platform:
    """This host's column of the table."""
    return host.connector_data[PLATFORM]
