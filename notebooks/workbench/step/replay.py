"""Several steps in one pyinfra run, for rewind(): MAILROOM_STEPS="postfix.install,postfix.identity"."""

import os
from importlib import import_module

from deploys.restart import restart_changed
from deploys.step import compose

names = [name.split(".") for name in os.environ["MAILROOM_STEPS"].split(",")]
compose([getattr(import_module(f"deploys.chapters.{chapter}"), step) for chapter, step in names])
restart_changed()
