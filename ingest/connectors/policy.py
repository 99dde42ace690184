"""
Reviewed rules about actions, in YAML: what may be allowed, what needs whose approval, what is refused.

A file is one record: where one of its rules cannot be read, none of this version counts, and those of the last version
that could be read stay in force. No file is taken for one by its name alone; the source has to be named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from graph.values import Fact, FactKind, Item, Record, Trust
from ingest.connectors._rules import Body, known, rule_of, zone_of
from ingest.contract import Connector, Piece
from ingest.errors import BadRecord
from ingest.parsing import load_yaml_documents, text_of, unpack

NAME = "policy"
FORMAT = "precedent-policy/1"


def split(raw: bytes, meta: Mapping[str, str]) -> Iterator[Piece]:
    """
    One piece a file.
    """
    path = meta.get("path") or "policy.yaml"
    text = text_of(unpack(raw, path), path)
    try:
        list(rules_of(text, path))
    except BadRecord as error:
        yield Piece(part=path, body=text, problem=str(error))
        return
    yield Piece(part=path, body=text)


def rules_of(text: str, path: str) -> Iterator[tuple[str, Body]]:
    """
    (path within the file, rule) of a file, each checked. BadRecord names what is wrong by its path.
    """
    documents = load_yaml_documents(text, path)
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise BadRecord(f"{path}: write one document with `rules`")
    document = {str(key): value for key, value in documents[0].items()}
    known(document, ("format", "zone", "rules"), path)
    if document.get("format", FORMAT) != FORMAT:
        raise BadRecord(f"{path}.format: {str(document['format'])[:40]!r} is not known; write {FORMAT}")
    zone = zone_of(document, path)
    rows = document.get("rules")
    if not isinstance(rows, list) or not rows:
        raise BadRecord(f"{path}.rules: write a list of rules")
    names: set[str] = set()
    for number, row in enumerate(rows):
        where = f"{path}.rules[{number}]"
        if not isinstance(row, dict):
            raise BadRecord(f"{where}: write a rule with its `name`")
        body: Body = {"zone": zone, **{str(key): value for key, value in row.items()}}
        name = rule_of(body, where).rule.name
        if name in names:
            raise BadRecord(f"{where}.name: {name!r} stands twice in this file")
        names.add(name)
        yield where, body


def transform(record: Record) -> Iterator[Item]:
    """
    A fact for each rule.
    """
    path = record.meta.get("path", record.part)
    if record.visibility:
        # a rule that some cannot see would not bind what they ask about
        raise BadRecord(f"{path}: rules hold for everybody; take `visibility` from their source")
    for where, body in rules_of(record.body, path):
        found = rule_of(body, where)
        text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
        subject = f"policy:{found.rule.name}"
        yield Fact(kind=FactKind.POLICY, subject=subject, object=path, valid=found.valid, attributes={"rule": text})


CONNECTOR = Connector(
    name=NAME,
    summary="reviewed rules about actions",
    trust=Trust.REVIEWED,
    snapshot=True,
    split=split,
    transform=transform,
)
