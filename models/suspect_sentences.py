"""
The sentences that explain the terms of a suspect to a person.
"""

from __future__ import annotations

from collections.abc import Mapping

from graph.values import Change, entity_name
from models.exposure import Exposure, Way
from models.suspect_question import SuspectQuestion

SENTENCES: Mapping[str, str] = {
    "lag": "took effect {ago}{carried}",
    "rank": "others took effect later",
    "service": "on {services}, which {hurt}",
    "neighbour": "on {services}, which the failing service depends on",
    "distance": "{services} is some steps away",
    "other": "on {services}, which the failing service does not depend on, as far as is known",
    "path": "it touches files of the service that the alert is about",
    "unplaced": "neither its files nor its title are about the service",
    "named": "its title or files name the service that the alert is about",
    "deployed": "deployed to {services} at {at}",
    "shared": "it lies in what several services share, and came with a deploy of something else",
    "held": "no deploy brought it to what fails before the onset",
    "late": "took effect at {at}, after it began to go wrong at {onset}",
    "area": "touches {areas}",
    "area_share": "most of its files lie in the hurt area",
    "area_rank": "others touched the hurt area later",
    "parent": "touches files beside the hurt area",
    "overlap": "its words are those of the symptom: {words}",
    "exact": "it has what the symptom names: {names}",
    "seen": "{seen}",
    "mechanism": "it touches what the symptom speaks of",
    "moved": "its diff only moves code about",
    "values": "its diff changes values",
    "guards": "its diff takes safeguards away",
    "logging": "its diff only logs differently",
    "style": "only style, pages or pictures",
    "bump": "it only lifts a dependency",
    "files": "it touches {count} files",
    "lines": "by how many lines it changes",
    "environment": "in {environment}, not {asked_environment}",
    "dark": "a flag at 0 %, which reaches nobody",
    "taken_back": "it was taken back before the onset",
    "takes_back": "it takes an earlier change back",
    "harmless": "only documents, tests or style",
    "cosmetic": "by its title only a comment, a note or tidying",
    "fix": "by its title a correction of something earlier",
    "trial": "by its title a trial",
    "automated": "made by a bot",
    "merge": "a merge",
    "failed": "it failed",
    "deploy": "it reached what runs",
    "scaling": "it only changes how much runs",
}


class Words:
    """
    What the sentences of one suspect are filled with.
    """

    def __init__(
        self,
        change: Change,
        exposure: Exposure,
        question: SuspectQuestion,
        told: tuple[tuple[str, ...], tuple[str, ...], str],
    ) -> None:
        words, names, seen = told
        self._filling = {
            "ago": _ago((question.onset - exposure.at).total_seconds() / 3600),
            "carried": "; a later deploy carried it" if exposure.way is Way.CARRIED else "",
            "services": ", ".join(sorted(entity_name(one) for one in exposure.services or change.services)),
            "hurt": "fails" if question.signals else "the alert is about",
            "at": f"{exposure.at:%H:%M}",
            "onset": f"{question.onset:%H:%M}",
            "areas": ", ".join(question.areas),
            "words": ", ".join(words),
            "names": ", ".join(names[:3]),
            "seen": seen,
            "count": len(change.files),
            "environment": change.environment,
            "asked_environment": question.environment,
        }

    def says(self, term: str) -> str:
        """
        The sentence of a term.
        """
        return SENTENCES.get(term, term).format_map(self._filling)


def _ago(hours: float) -> str:
    if hours < 0:
        return "after the onset"
    if hours < 2:
        return f"{hours * 60:.0f} min before the onset"
    return f"{hours:.0f} h before the onset" if hours < 48 else f"{hours / 24:.0f} days before the onset"
