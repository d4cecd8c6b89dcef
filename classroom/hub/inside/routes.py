"""The routes to the servers, which are fixed: nginx has one for each learner (classroom/hub/doors.py), whether a server runs or not.

https://jupyterhub.readthedocs.io/en/stable/howto/proxy.html
"""

from typing import Any

from jupyterhub.proxy import Proxy


class Fixed(Proxy):
    """Remembers what JupyterHub wants to have routed. Nothing is to be done for it."""

    should_start = False

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.wanted: dict[str, dict[str, Any]] = {}

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        self.wanted[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        self.wanted.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, dict[str, Any]]:
        return dict(self.wanted)
