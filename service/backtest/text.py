"""
A report for a person at a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from service.fence import clean, label, label_id

Table = Callable[..., str]
SET_NAMES = {
    "named": "named by a document",
    "weak": "shown by history alone (weak labels)",
    "reverted": "taken back without a known incident",
}
RANKERS = {"precedent": "Precedent", "latest": "latest change", "latest_on_service": "latest on the service"}
REASONS = {
    "not_ingested": "the culprit was never ingested",
    "known_later": "the culprit became known only later",
    "after_onset": "the culprit is dated after the alert",
    "too_old": "the culprit was too old to be looked at",
    "not_linked": "the culprit is on a service that is not linked",
    "crowded_out": "newer changes crowded it out",
    "ranked_low": "another change was ranked first",
    "none_chosen": "it was first, but none was likelier",
    "change_chosen": "no change was the cause, and one was chosen",
}
SHOWN = 12
# A report is JSON, whose shape the run makes; reading it by names needs no types of its own.
Json = Any


def report_text(report: Mapping[str, Json], table: Table) -> str:
    """
    Coverage, measures beside the baselines, calibration, groups, reasons, leaks.
    """
    lines = _head(report)
    for name, one in report["sets"].items():
        if one["n"] or one["none_n"]:
            lines += ["", *_set(name, one, table)]
    lines += _missed(report, table)
    if report["leaks"]:
        lines += ["", f"LOOKED AHEAD: {len(report['leaks'])} future facts; their replays are not counted"]
        lines += [
            f"  {label_id(one['id'])}: {one['kind']}: {clean(one['says'], 300)}" for one in report["leaks"][:SHOWN]
        ]
    return "\n".join(lines)


def _head(report: Mapping[str, Json]) -> list[str]:
    seen = report["coverage"]
    lines = [
        f"{seen['replayed']} incidents and {seen['reverted']} reverts replayed in {report['took_seconds']} s, "
        f"{str(report['from'])[:10]} to {str(report['to'])[:10]}, over {seen['changes']} changes",
        f"culprit named {seen['named']}, no change to blame {seen['none']}, shown by history alone {seen['weak']}, "
        f"unknown {seen['unlabelled']}, without a time {seen['without_time']}",
        f"the service was found in {seen['service_found']} of {seen['service_known']}",
    ]
    return lines + [f"note: {note}" for note in report["notes"]]


def _set(name: str, one: Mapping[str, Json], table: Table) -> list[str]:
    none, measured = one["none"], one["calibration"]
    lines = [f"Culprits {SET_NAMES[name]}: {one['n']}" + (f", and {one['none_n']} without" if one["none_n"] else "")]
    if one["n"]:
        lines.append(
            table(
                [_ranker(key, found) for key, found in one["rankers"].items()],
                "ranking",
                "hit@1",
                "95 %",
                "hit@3",
                "hit@5",
                "mrr",
            )
        )
        against = one["against"]["latest_on_service"]
        lines.append(
            f"first where the latest on the service was not: {against['better']}, the other way: {against['worse']}"
            + (f" (by chance: {against['by_chance']:.2g})" if against["by_chance"] is not None else "")
        )
    lines.append(
        f"answered none: {share(none['abstention'])}; of these right {share(none['precision'])}; "
        f"of those without a change found {share(none['recall'])}; right answers in all {share(one['right'])}"
    )
    lines.append(f"calibration: ece {number(measured['ece'])}, Brier {number(measured['brier'])} over {measured['n']}")
    rows = [
        {"said": share(each["said"]), "was": share(each["was"]), "95 %": _interval(each["was_95"]), "n": each["n"]}
        for each in measured["bins"]
    ]
    lines.append(table(rows, "said", "was", "95 %", "n"))
    for title, key in (("kind", "by_kind"), ("service", "by_service"), ("asked", "by_asked")):
        lines.append(
            table(
                [_group(each, title) for each in one[key][:SHOWN]],
                title,
                "n",
                "hit@1",
                "hit@3",
                "latest",
                "on service",
                "right",
            )
        )
    return lines


def _ranker(name: str, found: Mapping[str, Json]) -> dict[str, object]:
    return {
        "ranking": RANKERS[name], "hit@1": share(found["hit1"]), "95 %": _interval(found["hit1_95"]),
        "hit@3": share(found["hit3"]), "hit@5": share(found["hit5"]), "mrr": number(found["mrr"]),
    }  # fmt: skip


def _group(each: Mapping[str, Json], title: str) -> dict[str, object]:
    rankers = each["rankers"]
    return {
        title: label(each["name"]), "n": each["n"] + each["none_n"], "hit@1": share(rankers["precedent"]["hit1"]),
        "hit@3": share(rankers["precedent"]["hit3"]), "latest": share(rankers["latest"]["hit1"]),
        "on service": share(rankers["latest_on_service"]["hit1"]), "right": share(each["right"]),
    }  # fmt: skip


def _missed(report: Mapping[str, Json], table: Table) -> list[str]:
    missed = report["missed"]
    if not missed:
        return []
    counts: dict[str, int] = {}
    for one in missed:
        counts[one["reason"]] = counts.get(one["reason"], 0) + 1
    lines = ["", f"Missed: {len(missed)}"]
    lines += [f"  {count:4d}  {REASONS[reason]}" for reason, count in sorted(counts.items(), key=lambda pair: -pair[1])]
    rows = [
        {
            "id": one["id"],
            "at": one["at"][:16],
            "why": one["reason"],
            "culprit": label_id(one["culprit"]) if one["culprit"] else None,
            "says": clean(one["says"], 160),
        }
        for one in missed[:SHOWN]
    ]
    lines.append(table(rows, "id", "at", "why", "culprit", "says"))
    if len(missed) > SHOWN:
        lines.append(f"and {len(missed) - SHOWN} more; all with --json")
    return lines


def labels_text(found: Mapping[str, Json], table: Table) -> str:
    """
    The culprits that history names, and how far each sign is believed.
    """
    rows = [
        {
            "at": one["at"][:16], "incident": label_id(one["incident"]) if one["incident"] else None,
            "culprit": label_id(one["change"]), "confidence": f"{one['confidence']:.2f}",
            "signs": " ".join(one["signs"]), "says": clean(one["says"], 160),
        }
        for one in found["culprits"][:200]
    ]  # fmt: skip
    named = sum(one["named"] for one in found["culprits"])
    return "\n".join([
        f"{named} culprits named by documents, {len(found['culprits']) - named} by history alone",
        table(rows, "at", "incident", "culprit", "confidence", "signs", "says"),
        "",
        "how each sign did where a document names the culprit too",
        table(found["signs"], "sign", "shipped", "right", "of", "confidence"),
    ])  # fmt: skip


def share(value: float | None) -> str:
    """
    As a percentage; `-` for nothing.
    """
    return "-" if value is None else f"{value:.0%}"


def number(value: float | None) -> str:
    """
    With three decimals; `-` for nothing.
    """
    return "-" if value is None else f"{value:.3f}"


def _interval(pair: list[float]) -> str:
    return f"{pair[0]:.0%} to {pair[1]:.0%}"
