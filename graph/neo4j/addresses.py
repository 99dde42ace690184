"""
The URLs of servers.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from graph.errors import InvalidValue

SCHEMES = tuple(f"{kind}{safe}://" for kind in ("neo4j", "bolt") for safe in ("", "+s", "+ssc"))


def split(url: str) -> tuple[str, str | None]:
    """
    A server's URL without the database that its path may name, and that database. InvalidValue of another URL.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        hidden = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        raise InvalidValue(hidden, "User and password are settings of their own, since URLs get logged")
    if not url.startswith(SCHEMES) or not _addressed(url):
        raise InvalidValue(
            url, f"A server's URL is one of {', '.join(SCHEMES)} with a host, and a port if it is not 7687"
        )
    return urlunsplit(parts._replace(path="")), parts.path.strip("/") or None


def _addressed(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
