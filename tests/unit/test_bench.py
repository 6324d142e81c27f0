"""The parts of `ketenzorg bench` that decide what is counted, and one short run of the whole."""

import subprocess
import sys
from types import SimpleNamespace
from uuid import UUID

import msgspec
import pytest

from ketenzorg.access.personal_numbers import is_bsn
from ketenzorg.cli.bench.command import verified, with_memory
from ketenzorg.cli.bench.limit import Column, Rows, one_statement
from ketenzorg.cli.bench.load import Load
from ketenzorg.cli.bench.payloads import ENTRIES, body, identifier
from ketenzorg.cli.bench.report import Measured
from ketenzorg.referral.bundle import read_bundle
from ketenzorg.store.ids import uuid7

ORGANISATION = "00000000-0000-4000-8000-000000000003"


def test_every_bundle_is_another_persons_and_of_the_same_length() -> None:
    first, second = (read_bundle(body(number), uuid7) for number in (1, 2))
    assert len(first.entries) == ENTRIES
    assert len(body(1)) == len(body(2))
    patients = [posted.of("Patient")[0].resource for posted in (first, second)]
    assert patients[0].name[0].family != patients[1].name[0].family
    numbers = [patient.identifier[0].value for patient in patients]
    assert numbers[0] != numbers[1]
    assert all(is_bsn(number) and number.startswith("999") for number in numbers)
    requests = [posted.of("ServiceRequest")[0].resource for posted in (first, second)]
    assert [request.identifier[0].value for request in requests] == [identifier(1), identifier(2)]


def load(*, acknowledged: list[int], unanswered: list[int]) -> Load:
    return Load(1, acknowledged=acknowledged, unanswered=unanswered)


@pytest.mark.parametrize(
    ("identities", "found", "lost", "doubled", "unexplained"),
    [
        ([1, 2], [1, 2], 0, 0, 0),
        ([1, 2, 3], [1, 2, 3], 0, 0, 0),  # 3 was stored, and its answer did not arrive
        ([1], [1], 1, 0, 0),
        ([1, 2], [1], 1, 0, 0),  # half a referral is a lost one
        ([1, 2], [1, 2, 2], 0, 1, 0),
        ([1, 2, 4], [1, 2, 4], 0, 0, 1),
    ],
)
def test_what_is_stored_is_held_against_what_was_acknowledged(
    identities: list[int], found: list[int], lost: int, doubled: int, unexplained: int
) -> None:
    names, requests = [identifier(n) for n in identities], [identifier(n) for n in found]
    verdict = verified([load(acknowledged=[1, 2], unanswered=[3])], names, requests, len(requests))
    assert (verdict.lost, verdict.doubled, verdict.unexplained) == (lost, doubled, unexplained)
    assert verdict.holds is (not lost and not doubled and not unexplained)


def test_memory_is_read_after_ten_thousand_referrals_however_few_were_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = SimpleNamespace(rss_mib=lambda: 150.0)
    ground = SimpleNamespace(api=api, target=None, numbers=None)
    timed = msgspec.convert(dict.fromkeys(Measured.__struct_fields__, 1) | {"limit_by": "pgbench"}, Measured)
    monkeypatch.setitem(
        with_memory.__globals__, "post_for", lambda *_: load(acknowledged=[0] * 3000, unanswered=[])
    )
    loads = [load(acknowledged=[0] * 1500, unanswered=[])]
    told = with_memory(ground, loads, timed)  # type: ignore[arg-type]
    assert (told.rss_mib, told.referrals_before) == (150.0, 10_500)
    assert msgspec.structs.replace(told, rss_mib=1, referrals_before=1) == timed

    monkeypatch.setitem(with_memory.__globals__, "post_for", lambda *_: load(acknowledged=[], unanswered=[1]))
    assert with_memory(ground, loads[:1], timed).referrals_before == 1500  # type: ignore[arg-type]


def test_the_limit_writes_the_same_rows_under_fresh_ids() -> None:
    patient = str(UUID(int=7))
    rows = Rows(
        "ketenzorg.resource",
        [Column("id", "uuid"), Column("source", "uuid"), Column("note", "text"), Column("gone", "text")],
        [[patient, ORGANISATION, "it's urn:x", None]],
    )
    statement = one_statement([rows], [ORGANISATION], 18)
    assert patient not in statement  # a fixed id would be a duplicate key at the second execution
    assert f"'{ORGANISATION.replace(':', '')}'::uuid" in statement
    assert "ids.i0" in statement
    assert r"E'it''s urn\x3ax'::text" in statement  # pgbench would take :x for a variable
    assert "null::text" in statement


def test_a_short_run_measures_everything_and_leaves_nothing_behind(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ketenzorg", "bench", "--seconds", "0.5", "--processes", "1", "--json"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    measured = msgspec.json.decode(done.stdout)
    assert set(measured) == {"1", "8", "32"}
    for each in measured.values():
        assert each["referrals_per_s"] > 0
        assert each["limit_per_s"] > each["referrals_per_s"]
        assert each["ratio"] == pytest.approx(each["referrals_per_s"] / each["limit_per_s"])
        assert each["errors"] == 0
        assert each["rows"] == pytest.approx(49)
    assert "none twice" in done.stderr
    assert [path for path in tmp_path.iterdir() if path.name.startswith("ketenzorg")] == []
