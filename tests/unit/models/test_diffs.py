"""
A diff tells what it changes in truth: values, safeguards, names; and what it only moves, logs or lifts.
"""

from __future__ import annotations

from models.diffs import read

MOVED = """@@ a.go @@
-\tif lat < -90 || lat > 90 {
-\t\treturn errRange("lat", lat)
-\t}
+\tif err := check("lat", lat, -90, 90); err != nil {
+\t\treturn err
+\t}"""


def test_a_changed_value_is_told_from_moved_code() -> None:
    value = read("@@ pool.go @@\n-const maxConns = 50\n+const maxConns = 10", ["pool.go"])
    assert (value.values, value.moved, value.settings) == (2, 0.0, (("maxConns", "50", "10"),))
    moved = read(MOVED, ["a.go"])
    assert moved.values == 0
    assert moved.moved > 0.5


def test_a_safeguard_that_goes_is_seen() -> None:
    found = read("@@ r.go @@\n-\tl.mu.Lock()\n-\tdefer l.mu.Unlock()\n \tl.counts[id]++", ["r.go"])
    assert found.guards > 0
    assert found.moved == 0.0


def test_words_of_what_changes_weigh_more_than_those_around_it() -> None:
    found = read('@@ e.go @@\n Name string\n-Meta map `json:"meta"`\n+Metadata map `json:"metadata"`', ["e.go"])
    assert found.words["metadata"] == 1.0
    assert found.words["name"] < 0.5
    assert {"meta", "metadata"} <= found.names


def test_only_logging_and_only_style_are_seen() -> None:
    assert read('@@ s.cpp @@\n-  LOG_DEBUG(log, "x");\n+  LOG_INFO(log, "x {}", n);', ["s.cpp"]).logs_only
    assert not read("@@ s.cpp @@\n-  wait(1);\n+  wait(2);", ["s.cpp"]).logs_only
    assert read("@@ a.css @@\n-a{}\n+b{}", ["web/a.css"]).style_only


def test_a_lifted_dependency_is_weighed_by_its_step() -> None:
    patch = read("@@ go.mod @@\n-\tgolang.org/x/text v0.1.2\n+\tgolang.org/x/text v0.1.3", ["go.mod", "go.sum"])
    minor = read("@@ go.mod @@\n-\tg.org/protobuf v1.31.0\n+\tg.org/protobuf v1.34.2", ["go.mod"])
    assert (patch.bump, minor.bump) == (1.0, 0.5)
    assert minor.libraries == ("protobuf",)
    assert read("@@ a.go @@\n-v1.2.3\n+v1.2.4", ["a.go"]).bump == 0.0


def test_a_key_of_a_configuration_is_a_value_and_a_comment_is_none() -> None:
    assert read("@@ v.yaml @@\n-  API_KEY: a\n+  KEY: a", ["values.yaml"]).values > 0
    assert read("@@ v.yaml @@\n-url: x\n+# grouped\n+url:   x", ["values.go"]).values == 0


def test_what_is_no_diff_has_nothing() -> None:
    assert read("A description of it.", ["a.go"]).lines == 0
