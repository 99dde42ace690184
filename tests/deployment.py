"""
The two ways in which the product is deployed: on the embedded store, and on a Neo4j server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.settings import Settings
from tests import server


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    `environment` are the variables of a process that belongs to it.
    """

    name: str

    @property
    def environment(self) -> dict[str, str]:
        if self.name == "embedded":
            return {}
        return {
            "PRECEDENT_STORE": server.URI,
            "PRECEDENT_STORE_USER": server.USER,
            "PRECEDENT_STORE_PASSWORD": server.PASSWORD,
        }

    def settings(self, data: Path, **more: object) -> Settings:
        """
        Settings of this deployment, with a data directory.
        """
        own = {name.removeprefix("PRECEDENT_").lower(): value for name, value in self.environment.items()}
        return Settings.model_validate({"data": data, **own, **more})

    def empty(self) -> None:
        """
        Nothing is in the store from here on; where there is no server for it, the test is skipped.
        """
        if self.name == "server":
            server.require()
            server.empty()


OPT_OUTS: Mapping[tuple[str, str], str] = {
    ("server", "test_verbs_that_read_work_where_nothing_can_be_written"): "about the embedded store's files",
    ("server", "test_a_log_that_nobody_can_merge_is_told"): "about the embedded store's files",
    ("server", "test_a_store_is_copied_onto_a_server_and_back"): "there is one server, and it has one database",
    ("server", "test_a_migration_that_cannot_be_done_is_one_clear_line"): "about the embedded store's files",
    ("server", "test_a_backup_restores_to_the_same_answers"): "a server is backed up by its own tools",
}
"""(deployment, test function) -> why it cannot do what the test asks for."""
DEPLOYMENTS = (Deployment("embedded"), Deployment("server"))
