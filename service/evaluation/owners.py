"""
Names and alerts to services and teams.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from graph.contract import Store, Yield
from graph.values import Alert, AlertRule, EntityKind, Fact, FactKind, Item, Record, Trust, View, entity_id, entity_name
from models.catalogue import Catalogue
from models.contract import Ranking
from models.resolution import Resolver
from service.evaluation.frame import Lab, Metrics, Prediction, by_variant, data_file, read_lines
from service.evaluation.lessons import fold
from service.evaluation.metrics import auroc, expected_calibration_error, mean

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FOLDS = 5
SURE = 0.95
DRIFTED = 150
_TRUTH_LABELS = {"service", "team", "owner", "app", "application", "component"}

Names = dict[str, set[str]]
"""Given name -> the names that count as right."""


def predict(directory: Path, lab: Lab) -> Iterator[Prediction]:
    """
    Look-ups, drifted names, and alerts with the other folds' alerts known.
    """
    catalog = _catalog(directory)
    alerts = _alerts(directory)
    store = lab.store()
    _state(store, "catalog", _facts(catalog, directory))
    known = [(one, service) for one, service, _ in alerts if service]
    for name in sorted({service for _, service in known} - set(catalog)):
        _state(store, f"alerts-{name}", [Fact(kind=FactKind.ENTITY, subject=entity_id(EntityKind.SERVICE, name))])
    spelled = {name.lower(): name for name in [*catalog, *(service for _, service in known)]}
    teams = _team_names(directory, alerts)
    resolver = _resolver(store, lab)
    yield from _lookups(directory, resolver, catalog, spelled, teams)
    yield from _alert_questions(lab, catalog, directory, alerts, spelled, teams)


def _resolver(store: Store, lab: Lab) -> Resolver:
    parameters = lab.parameters("resolution")
    catalogue = Catalogue(parameters)
    catalogue.follow(store)
    return Resolver(catalogue, parameters)


def _catalog(directory: Path) -> dict[str, set[str]]:
    """
    service -> its declared teams (empty: none declared).
    """
    found: dict[str, set[str]] = defaultdict(set)
    for name in ("ownership.jsonl", "services.jsonl"):
        path = data_file(directory, name)
        for row in read_lines(path) if path else ():
            service = row.get("service") or row.get("name")
            if service:
                found[str(service)] |= _teams(row)
    return dict(found)


def _teams(row: Mapping[str, object]) -> set[str]:
    many = row.get("teams")
    names = many if isinstance(many, list) else [row.get("team")]
    return {str(name) for name in names if name}


def _facts(catalog: Mapping[str, set[str]], directory: Path) -> list[Item]:
    facts: list[Item] = []
    described: dict[str, Mapping[str, object]] = {}
    for name in ("ownership.jsonl", "services.jsonl"):
        path = data_file(directory, name)
        for row in read_lines(path) if path else ():
            described.setdefault(str(row.get("service") or row.get("name")), dict(row))
    for service, teams in catalog.items():
        subject = entity_id(EntityKind.SERVICE, service)
        about = described.get(service, {})
        attributes = {key: str(about[key]) for key in ("description", "type", "title") if about.get(key)}
        facts.append(Fact(kind=FactKind.ENTITY, subject=subject, attributes=attributes))
        for alias in ("domain", "display_name", "application", "repository"):
            if about.get(alias) and str(about[alias]).lower() != service.lower():
                facts.append(
                    Fact(kind=FactKind.ALIAS, subject=subject, object=str(about[alias]), attributes={"seen_in": alias})
                )
        for team in sorted(teams):
            facts.append(Fact(kind=FactKind.OWNED_BY, subject=subject, object=entity_id(EntityKind.TEAM, team)))
    return facts


def _alerts(directory: Path) -> list[tuple[tuple[str, Alert], str | None, str | None]]:
    """
    ((id, the alert as a question), true service, true team) of alerts that have a truth.
    """
    path = data_file(directory, "alerts.jsonl")
    found = []
    for row in read_lines(path) if path else ():
        alert = row.get("alert")
        body: Mapping[str, object] = alert if isinstance(alert, dict) else row
        labels = body.get("labels") if isinstance(body.get("labels"), dict) else {}
        assert isinstance(labels, dict)  # noqa: S101 - narrows the type
        service, team = row.get("service"), row.get("team")
        if service or team:
            question = _question(str(row["id"]), row, body, labels)
            found.append(((str(row["id"]), question), str(service) if service else None, str(team) if team else None))
    return found


def _question(
    identity: str, row: Mapping[str, object], body: Mapping[str, object], labels: Mapping[str, object]
) -> Alert:
    """
    The alert's own fields, without the labels of service and team.
    """
    annotations = {str(key): str(value) for key, value in dict(body.get("annotations") or {}).items()}  # type: ignore[call-overload]  # a table or nothing
    descriptions = row.get("descriptions")
    if isinstance(descriptions, list):
        texts = [str(one.get("text", "")) for one in descriptions if isinstance(one, dict)]
        # each begins with the service, which is the answer
        annotations["description"] = "\n".join(text.partition(":")[2].strip() for text in texts)
    for text in ("summary", "description"):
        if isinstance(row.get(text), str):
            annotations.setdefault(text, str(row[text]))
    queries = row.get("queries")
    expr = str(body.get("expr") or body.get("query") or "")
    expr = expr or ("\n".join(map(str, queries.values())) if isinstance(queries, dict) else "")
    name = str(body.get("alert") or body.get("name") or identity)
    kept = {str(key): str(value) for key, value in labels.items() if str(key) not in _TRUTH_LABELS}
    return Alert(id=identity, name=name, at=NOW, labels=kept, annotations=annotations, expr=expr)


def _team_names(directory: Path, alerts: Sequence[tuple[tuple[str, Alert], str | None, str | None]]) -> dict[str, str]:
    names = {team for teams in _catalog(directory).values() for team in teams} | {team for _, _, team in alerts if team}
    return {name.lower(): name for name in names}


def _lookups(
    directory: Path,
    resolver: Resolver,
    catalog: Mapping[str, set[str]],
    spelled: Mapping[str, str],
    teams: Mapping[str, str],
) -> Iterator[Prediction]:
    view = View(as_of=NOW, known_at=NOW)
    for name in sorted(catalog):
        ranking = resolver.lookup(name, view)
        owners = resolver.owners(ranking, view)
        # two teams may differ by case alone: as the answered service's own row writes them
        found = catalog.get(spelled.get(_bare(ranking.candidates[0].id), ""), ()) if ranking.candidates else ()
        yield _line(f"lookup:{name}", owners, {**teams, **{team.lower(): team for team in found}})
    for name, _ in _drifted(directory, catalog):
        yield _line(f"drift:{name}", resolver.lookup(name, view), spelled)


def _drifted(directory: Path, catalog: Mapping[str, set[str]]) -> list[tuple[str, str | None]]:
    """
    (name, service or None): the set's own, else made by seed from the catalogue's names.
    """
    path = data_file(directory, "drifted.jsonl")
    if path:
        return [(str(row["name"]), str(row["service"]) if row.get("service") else None) for row in read_lines(path)]
    rng = random.Random(20260101)  # noqa: S311 - made questions, not a secret
    names = sorted(catalog)
    made: dict[str, str | None] = {}
    for service in rng.sample(names, min(DRIFTED, len(names))):
        made.setdefault(_drift(rng, service), service)
    words = sorted({word for name in names for word in re.split(r"[^a-z0-9]+", name.lower()) if len(word) > 2})
    for _ in range(len(made) // 5 if words else 0):
        made.setdefault(f"{rng.choice(words)}-{''.join(rng.sample('bcdfghjklmnprstvz', 6))}-{rng.choice(words)}", None)
    return list(made.items())


def _drift(rng: random.Random, name: str) -> str:
    tail = "".join(rng.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))
    words = re.split(r"[-_/ ]+", name)
    forms = (
        f"{name}-prod", f"production-{name}", f"{name}-eu-west-1", f"{name}-7d9f8b6c5d-{tail}", name.replace("-", "_"),
        name.upper(), "".join(word.capitalize() for word in words), f"{name}.internal.example.com", f"acme/{name}",
        f"arn:aws:sqs:eu-west-1:123456789012:{name}", f"{name}-v2", f"staging-{name}-0",
    )  # fmt: skip
    return rng.choice(forms)


def _alert_questions(
    lab: Lab,
    catalog: Mapping[str, set[str]],
    directory: Path,
    alerts: Sequence[tuple[tuple[str, Alert], str | None, str | None]],
    spelled: Mapping[str, str],
    teams: Mapping[str, str],
) -> Iterator[Prediction]:
    facts = _facts(catalog, directory)
    all_services = {service for _, service, _ in alerts if service} | set(catalog)
    view = View(as_of=NOW, known_at=NOW)
    for number in range(FOLDS):
        asked = [one for one in alerts if fold(one[0][1], FOLDS) == number]
        if not asked:
            continue
        lab.progress(f"fold {number + 1} of {FOLDS}: {len(asked)} alerts")
        known = [one for one in alerts if fold(one[0][1], FOLDS) != number]
        resolver = _resolver(_taught(lab, facts, all_services, known, ""), lab)
        for (identity, alert), service, team in asked:
            if service:
                yield _line(f"service:{identity}", resolver.resolve(alert, view), spelled)
            if team:
                yield _line(f"team:{identity}", resolver.team(alert, view), teams)
        for removed in sorted({service for _, service, _ in asked if service}):
            without = _resolver(_taught(lab, facts, all_services, known, removed), lab)
            for (identity, alert), service, _ in asked:
                if service == removed:
                    yield _line(f"unknown:{identity}", without.resolve(alert, view), spelled)


def _taught(
    lab: Lab,
    facts: Sequence[Item],
    services: set[str],
    known: Sequence[tuple[tuple[str, Alert], str | None, str | None]],
    removed: str,
) -> Store:
    """
    A store with the catalogue and the known alerts, without one service and its alerts.
    """
    gone = entity_id(EntityKind.SERVICE, removed) if removed else ""
    stated = {one.subject for one in facts if isinstance(one, Fact)}
    items = [one for one in facts if not (isinstance(one, Fact) and one.subject == gone)]
    for name in sorted(services):
        subject = entity_id(EntityKind.SERVICE, name)
        if subject not in stated and subject != gone:
            items.append(Fact(kind=FactKind.ENTITY, subject=subject))
    for (identity, alert), service, team in known:
        if service is None or service != removed:
            labels = {**alert.labels, **({"team": team} if team else {})}
            subjects = (entity_id(EntityKind.SERVICE, service),) if service else ()
            items.append(
                AlertRule(
                    id=identity,
                    name=alert.name,
                    expr=alert.expr,
                    labels=labels,
                    annotations=alert.annotations,
                    services=subjects,
                )
            )
    store = lab.store()
    _state(store, "organisation", items)
    return store


def _state(store: Store, name: str, items: Sequence[Item]) -> None:
    record = Record(
        id=f"r-{name}", source=name, connector="mapping", part=name, body="", digest="",
        received_at=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    store.append([record])
    store.apply([Yield(record=record.id, items=tuple(items), trust=Trust.DECLARED, snapshot=True)])


def _line(question: str, ranking: Ranking, spelled: Mapping[str, str]) -> Prediction:
    ranked = tuple(
        (spelled.get(_bare(one.id), _bare(one.id)), round(one.probability, 6)) for one in ranking.candidates[:50]
    )
    return Prediction(
        question=question,
        variant="whole",
        ranked=ranked,
        none_p=round(ranking.none_probability, 6),
        abstained=ranking.abstained,
    )


def _bare(identity: str) -> str:
    return entity_name(identity) if identity.startswith(("service:", "team:", "person:")) else identity.lower()


def score(directory: Path, predictions: Sequence[Prediction]) -> tuple[Metrics, int]:
    """
    Each measure over the questions that have its truth.
    """
    found = by_variant(predictions).get("whole", {})
    catalog = _catalog(directory)
    alerts = _alerts(directory)
    lookups = {f"lookup:{name}": teams for name, teams in catalog.items()}
    drifts = {f"drift:{name}": {service} if service else set() for name, service in _drifted(directory, catalog)}
    services = {f"service:{one[0]}": {service} for one, service, _ in alerts if service}
    teams = {f"team:{one[0]}": {team} for one, _, team in alerts if team}
    sized = [_prefix(found.get(question), answers) for question, answers in services.items()] or [
        _prefix(found.get(question), answers) for question, answers in teams.items()
    ]
    judged = services or teams
    pairs = [_sureness(found.get(question), answers) for question, answers in judged.items()]
    known = [_none(found.get(question)) for question in services]
    unknown = [_none(found.get(question.replace("service:", "unknown:", 1))) for question in services]
    measures: dict[str, float | None] = {
        "lookup_top1": _share(found, lookups), "drift_top1": _share(found, drifts), "service_top1": _share(found, services),
        "coverage": mean([float(right) for right, _ in sized]), "set_size": mean([float(size) for _, size in sized]),
        "refusal_auroc": auroc(unknown, known), "team_top1": _share(found, teams), "ece": expected_calibration_error(pairs),
        "n_lookup_top1": len(lookups), "n_drift_top1": len(drifts), "n_service_top1": len(services), "n_team_top1": len(teams),
        "n_refusal_auroc": len(unknown), "n_coverage": len(sized), "n_ece": len(pairs),
    }  # fmt: skip
    return {"whole": measures}, len(found)


def _share(found: Mapping[str, Prediction], truth: Names) -> float | None:
    return mean([float(_right(found.get(question), answers)) for question, answers in truth.items()])


def _right(prediction: Prediction | None, answers: set[str]) -> bool:
    if prediction is None:
        return False
    if not answers:
        top = prediction.ranked[0][1] if prediction.ranked else None
        sure = prediction.none_p is not None and top is not None and prediction.none_p >= top
        return prediction.abstained or not prediction.ranked or sure
    return bool(prediction.ranked) and prediction.ids[0] in answers


def _prefix(prediction: Prediction | None, answers: set[str]) -> tuple[bool, int]:
    """
    (whether it holds the answer, its size) of the smallest prefix with a summed probability of 0.95.
    """
    total, chosen = 0.0, []
    for name, p in prediction.ranked if prediction else ():
        chosen.append(name)
        total += p or 0.0
        if total >= SURE:
            break
    return bool(set(chosen) & answers), len(chosen)


def _sureness(prediction: Prediction | None, answers: set[str]) -> tuple[float, bool]:
    if prediction is None or not prediction.ranked:
        return (1.0, False) if prediction is None else (0.0, False)
    return prediction.ranked[0][1] or 0.0, prediction.ids[0] in answers


def _none(prediction: Prediction | None) -> float:
    return prediction.none_p or 0.0 if prediction else 0.0
