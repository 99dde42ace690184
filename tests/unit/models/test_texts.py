"""
What is searched for, and what is searched: the words of alerts and the rows of documents.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from graph.values import Alert
from models.facets import alert_text, headline


def alert(**annotations: str) -> Alert:
    return Alert(id="a", name="QueueStuck", at=datetime(2026, 5, 1, tzinfo=UTC), annotations=annotations)


@pytest.mark.parametrize(
    "annotation",
    [
        'see <https://kibana.example/s/{{ if eq .x "y" }}42f4{{ else }}17{{ end }}/app?q=(a:b)|{{ $labels.pod }}>',
        "see https://grafana.example/d/jfc4fnp/board",
        "see",
    ],
)
def test_addresses_are_no_words_of_an_alert(annotation: str) -> None:
    assert alert_text(alert(description=annotation)).split() == ["QueueStuck", "see"]


@pytest.mark.parametrize("name", ["dashboard_url", "grafana_path", "link"])
def test_an_annotation_that_is_an_address_says_nothing(name: str) -> None:
    assert alert_text(alert(**{name: "d/search/board?orgId=1"})) == "QueueStuck"


def test_the_first_line_is_a_headline_where_more_follows() -> None:
    assert headline("disk full\nno space left on device") == "disk full"
    assert headline("disk full\n\n") == ""
