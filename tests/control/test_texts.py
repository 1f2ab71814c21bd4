"""Sentences: every reason, every figure it needs, and the truth of what it names."""

from dataclasses import replace
import json
from pathlib import Path
import string

import pytest

from custom_components.pv_load_manager.control import (
    ConfigError,
    Explanation,
    Mode,
    PhasePolicy,
    Reason,
    SiteStatus,
    config_errors,
    render,
)

from .house import Car, house
from .test_stories import only_one_phase

FOLDER = Path(__file__).parents[2] / "custom_components/pv_load_manager/texts"
TEXTS = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}


def test_every_language_has_every_reason_with_the_same_figures() -> None:
    """A translation names what the English text names, and nothing is left over."""
    assert {"en", "de"} <= TEXTS.keys()
    figures = {
        language: {
            key: {name for _, name, _, _ in string.Formatter().parse(text) if name} for key, text in templates.items()
        }
        for language, templates in TEXTS.items()
    }
    for language, templates in TEXTS.items():
        assert templates.keys() == {"countdown", "decimal", "root_circuit", *(reason.value for reason in Reason)}
        assert figures[language] == figures["en"]


def test_a_sentence_names_its_figures_and_counts_down() -> None:
    """Whole figures have no decimals, and the countdown only speaks of what lies ahead."""
    templates = {"stop_delay": "{surplus_w} W, {missing_w} W", "countdown": "in {seconds} s"}
    explanation = Explanation(
        reason=Reason.STOP_DELAY, numbers={"surplus_w": 1200.0, "missing_w": 12.5}, next_change_at=100.0
    )
    assert render(explanation, templates, 90.0) == "1200 W, 12.5 W in 10 s"
    assert render(explanation, templates, 100.0) == "1200 W, 12.5 W"
    far = explanation._replace(next_change_at=100.0 + 3601.0)  # a night is not counted in seconds
    assert render(far, templates, 100.0) == "1200 W, 12.5 W"


@pytest.mark.parametrize(("language", "expected"), [("en", "12.5 A, −7 W, −0.5 A"), ("de", "12,5 A, −7 W, −0,5 A")])
def test_figures_are_written_as_the_language_does(language: str, expected: str) -> None:
    """German has a comma in front of the decimals, and a minus is no hyphen."""
    templates = TEXTS[language] | {"charging_fast": "{allocated_a} A, {surplus_w} W, {house_a} A"}
    numbers = {"allocated_a": 12.5, "surplus_w": -7, "house_a": -0.5}
    assert render(Explanation(reason=Reason.CHARGING_FAST, numbers=numbers), templates, 0.0) == expected


def test_a_missing_figure_or_text_is_no_error() -> None:
    """An unknown figure is a dash, a missing text its key."""
    explanation = Explanation(reason=Reason.UNREACHABLE)
    assert render(explanation, {"unreachable": "{reserved_a} A"}, 0.0) == "– A"
    assert render(explanation, {}, 0.0) == "unreachable"


def test_the_reason_names_the_available_current_when_that_binds() -> None:
    """The sentence blames the available current where that binds, and the fuse where the fuse does."""
    home = house(fuse=20.0, mode=Mode.FAST)
    home.load_a = (2.0, 2.0, 2.0)
    home.set(available_current_a=9.0)
    home.run(60)
    assert home.reason() == Reason.LIMITED_BY_AVAILABLE_CURRENT
    home.set(available_current_a=4.0)
    home.run(5)
    assert home.reason() == Reason.WAITING_FOR_AVAILABLE_CURRENT
    home.set(available_current_a=15.0)
    home.load_a = (9.0, 2.0, 2.0)
    home.run(60)
    assert home.reason() == Reason.LIMITED_BY_FUSE
    assert home.plan.chargers["a"].explanation.numbers["house_a"] == 9.0


def test_without_a_meter_no_house_load_is_named() -> None:
    """A connection without a meter is a fixed current for all chargers, and the sentence says just that."""
    home = house("a", "b", fuse=20.0, metered=False, mode=Mode.FAST)
    home.run(60)
    explanation = home.plan.chargers["a"].explanation
    assert explanation.reason is Reason.LIMITED_BY_AVAILABLE_CURRENT
    assert "–" not in render(explanation, TEXTS["en"], home.now)


@pytest.mark.parametrize(("has_meter", "reason"), [(True, Reason.SURPLUS_UNKNOWN), (False, Reason.NO_POWER_METER)])
def test_min_pv_without_a_known_surplus_says_so(has_meter: bool, reason: Reason) -> None:
    """The guaranteed power flows, and the sentence does not invent a surplus."""
    home = house(metered=False, mode=Mode.MIN_PV, meter_alive=False)
    home.config = replace(home.config, has_power_meter=has_meter)
    home.run(200)
    assert home.allocated() == 6
    assert home.reason() == reason
    assert "–" not in render(home.plan.chargers["a"].explanation, TEXTS["de"], home.now)


def test_min_pv_with_nothing_guaranteed_is_pv() -> None:
    """Without a guarantee it waits for the sun and says so, also where there is no meter."""
    home = house(mode=Mode.MIN_PV, surplus_w=lambda _: 500.0)
    home.set(guaranteed_power_w=0.0)
    home.run(30)
    assert home.allocated() == 0
    assert home.reason() == Reason.WAITING_FOR_SURPLUS
    home.surplus_w = lambda _: 2500.0
    only_one_phase(home)
    home.run(100)
    assert home.reason() == Reason.CHARGING_SURPLUS
    home = house(metered=False, mode=Mode.MIN_PV, meter_alive=False)
    home.config = replace(home.config, has_power_meter=False)
    home.set(guaranteed_power_w=0.0)
    home.run(30)
    assert home.reason() == Reason.NO_POWER_METER


def test_a_charger_that_was_never_heard_names_what_is_kept_for_it() -> None:
    """The reserved current is a figure from the first moment on."""
    home = house("a", "b", fuse=35.0, mode=Mode.FAST)
    del home.cars["b"]
    home.run(40)
    explanation = home.plan.chargers["b"].explanation
    assert explanation.reason is Reason.UNREACHABLE
    assert explanation.numbers["reserved_a"] == 32.0  # the most that such a charger can offer


def test_a_car_that_is_left_alone_is_named_with_its_current_even_where_that_is_not_known() -> None:
    """An unknown setting is not 0 A."""
    home = house(mode=Mode.PV)
    home.set(mode_chosen=False)
    home.cars["a"] = Car(holding=False, setting_a=11, drawn_a=11.0)
    readings = home.readings
    home.readings = lambda: {  # type: ignore[method-assign]
        key: replace(reading, setting_a=None) for key, reading in readings().items()
    }
    home.run(5)
    explanation = home.plan.chargers["a"].explanation
    assert explanation.reason is Reason.UNTOUCHED
    assert explanation.numbers["offered_a"] == 16


def test_the_status_names_the_worst() -> None:
    """The house in one word: fault before off before limited before charging before waiting before idle."""
    home = house(fuse=20.0, mode=Mode.FAST)
    home.cars["a"].plugged = False
    home.run(5)
    assert home.plan.status is SiteStatus.IDLE
    home.cars["a"].plugged = True
    home.run(20)
    assert home.plan.status is SiteStatus.CHARGING
    home.load_a = (10.0, 0.0, 0.0)
    home.run(10)
    assert home.plan.status is SiteStatus.LIMITED
    home.set(mode=Mode.PV)
    home.run(300)
    assert home.plan.status is SiteStatus.WAITING
    home.set(mode=Mode.OFF)
    home.run(3)
    assert home.plan.status is SiteStatus.OFF
    home.meter_alive = False
    home.run(40)
    assert home.plan.status is SiteStatus.FAULT


def test_configuration_errors_are_bits() -> None:
    """Each mistake sets its bit, and a sound configuration none."""
    sound = house(mode=Mode.PV).config
    assert config_errors(sound) == 0
    assert config_errors(replace(sound, chargers=())) == ConfigError.NO_CHARGERS
    assert config_errors(replace(sound, has_power_meter=False)) == ConfigError.NO_POWER_METER
    low = replace(sound, strategy=replace(sound.strategy, maximum_total_current_a=5.0))
    assert config_errors(low) == ConfigError.MAXIMUM_CURRENT
    three = replace(sound, phases=1, chargers=(replace(sound.chargers[0], phase_policy=PhasePolicy.THREE),))
    assert config_errors(three) == ConfigError.PHASE_SWITCHING
