"""The command line says what it measured, in one last line that a machine can read."""

import json
from pathlib import Path
import re

import pytest

from benchmarks import __main__ as command
from benchmarks.pv import contenders, report
from benchmarks.pv.command import measure
from benchmarks.pv.contenders import CEILING, POLICIES, Job, work
from benchmarks.pv.days import generated
from benchmarks.pv.sweep import frontier, variants

KEYS = {
    "surplus_used",
    "solar_share",
    "import_kwh",
    "abs_grid_kwh",
    "starts_per_day",
    "switches_per_day",
    "worst_day_switches",
    "commands_per_day",
    "of_ceiling",
}


@pytest.fixture(name="roof")
def roof_fixture(tmp_path: Path) -> Path:
    """Return half an hour of sun, a value per second."""
    path = tmp_path / "roof.csv"
    rows = [f"{43_200 + second},{2.5 if second // 300 % 3 else 0.4}" for second in range(1800)]
    path.write_text("\n".join(["seconds,pv_kw", *rows]) + "\n", encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, object], str]:
    """Return the last line of a run, and what was told meanwhile."""
    assert command.main(["pv", "--json", "--workers", "1", *arguments]) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out.splitlines()[-1])
    assert isinstance(figures, dict)
    return figures, said.err


def test_last_line_has_every_policy_with_all_figures(
    capsys: pytest.CaptureFixture[str], roof: Path, tmp_path: Path
) -> None:
    """On an unseen day; every policy's drawing shows its decisions."""
    figures, told = run(capsys, "--pv-csv", str(roof), "--kwp", "3", "--quick", "--plot", str(tmp_path / "drawn"))
    policies = figures["policies"]
    assert isinstance(policies, dict)
    assert set(policies) == {*POLICIES, CEILING}
    for one in policies.values():
        assert set(one) >= KEYS
    assert policies["fast"]["surplus_used"] > policies["ours"]["surplus_used"] > 0.0
    assert policies[CEILING]["solar_share"] == 1.0
    assert policies[CEILING]["of_ceiling"] == 1.0
    assert figures["days"] == 1
    assert "days after" in told
    drawing = (tmp_path / "drawn" / "roof-fast.svg").read_text(encoding="utf-8")
    assert drawing.startswith("<svg ")
    assert "▲" in drawing
    assert len(re.findall("<polyline", drawing)) > 5
    assert len(list((tmp_path / "drawn").iterdir())) == len(POLICIES)


def test_all_sections_are_there_for_whom_is_asked(capsys: pytest.CaptureFixture[str], roof: Path) -> None:
    """Three cars, a battery, slow meters and steps, each by policy."""
    figures, _ = run(capsys, "--pv-csv", str(roof), "--policies", "evcc_10s,fixed_1p")
    for name, policies in (
        ("policies", {"evcc_10s", "fixed_1p", CEILING}),
        ("three_cars", {"evcc_10s", "fixed_1p", CEILING}),
        ("battery", {"evcc_10s", "fixed_1p"}),
        ("steps", {"evcc_10s"}),
        ("day_types", {"evcc_10s", "fixed_1p"}),
    ):
        section = figures[name]
        assert isinstance(section, dict)
        assert set(section) == policies, name
    cadences = figures["cadences"]
    assert isinstance(cadences, dict)
    assert set(cadences) == {"1", "10", "30", "60", "300"}
    assert cadences["300"]["evcc_10s"]["import_kwh"] > cadences["1"]["evcc_10s"]["import_kwh"]
    assert "dominated_by" not in figures


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--days", "sunny"], "expected some of clear, broken"),
        (["--seeds", "one"], "expected whole numbers"),
        (["--policies", "ours,theirs"], "expected some of ours"),
        (["--kwp", "5"], "need --pv-csv"),
        (["--pv-csv", "nowhere.csv"], "nowhere.csv"),
        (["--pv-csv", "nowhere.csv", "--kwp", "0"], "more than 0"),
    ],
)
def test_wrong_arguments_are_explained(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """In one line on stderr, with exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        measure(arguments)
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_missing_recordings_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is left when only they were asked for."""
    monkeypatch.setattr("benchmarks.pv.command.DATA", tmp_path)
    with pytest.raises(SystemExit):
        measure(["--days", "recorded"])
    assert "serf_east_1min_ac_power.csv" in capsys.readouterr().err


def test_dominated_needs_all_four() -> None:
    """More sun, a larger share of it, and no more starts and switches; equal is enough."""
    ours = {"surplus_used": 0.9, "solar_share": 0.95, "starts_per_day": 4.0, "switches_per_day": 5.0}
    others = {
        "ours": ours,
        "equal": dict(ours),
        "greedy": ours | {"surplus_used": 0.99, "solar_share": 0.9},
        "restless": ours | {"surplus_used": 0.99, "starts_per_day": 4.5},
        "better": ours | {"switches_per_day": 4.0},
        "never": ours | {"surplus_used": 0.0, "solar_share": None},
    }
    assert report.dominated_by(dict(ours), {name: dict(one) for name, one in others.items() if name != "ours"}) == [
        "equal",
        "better",
    ]


def test_types_of_day_are_told_apart() -> None:
    """The share of the ceiling is of the type's own energy."""
    sources = generated(("clear", "overcast"), (1,))
    scores = [work(Job(policy=CEILING, source=source))[0] for source in sources]
    assert report.by_kind(scores) == {"clear": 1.0, "overcast": 1.0}
    lone = work(Job(policy="fixed", options=(("phases", 3),), source=sources[1]))[0]
    assert report.by_kind([scores[0], lone]) == {"clear": 1.0, "overcast": 0.0}


def test_every_variant_of_the_sweep_can_be_built() -> None:
    """Every family of policies is varied, and no variant has two names."""
    found = list(dict.fromkeys(variants()))
    source = generated(("clear",), (1,))[0]
    names = set()
    for policy, options in found:
        job = Job(policy=policy, options=options, source=source)
        contenders.MAKES[policy](job.house, **dict(options))
        names.add(job.name)
    assert len(names) == len(found) > 100
    assert {policy for policy, _ in found} == set(contenders.MAKES)


def test_frontier_shows_every_point_twice_but_the_one_that_ignores_the_sun() -> None:
    """Once over the solar share, once over the switches."""
    point = {"surplus_used": 0.9, "solar_share": 0.95, "switches_per_day": 5.0}
    points: dict[str, dict[str, object]] = {
        "ours": dict(point),
        "evcc interval_s=5": point | {"surplus_used": 0.8},
        "fast": point | {"surplus_used": 1.0},
    }
    drawn = str(frontier(points))
    assert drawn.count("<circle") == 4
    assert drawn.count("evcc interval_s=5") == 2
