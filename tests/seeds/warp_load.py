"""WARP's load management: its settings, and every sentence with a number."""

from custom_components.pv_load_manager.const import MAX_CHARGERS, MAX_FUSE
from custom_components.pv_load_manager.control import HIGHEST_CURRENT, LOWEST_CURRENT, Reason, Strategy, Timings
from custom_components.pv_load_manager.number import SITE_NUMBERS

from .model import Action, Behaviour, Diagnostics, Entity, Nowhere, Number, Option, Owner, Row, Table, lines
from .warp_api import write

MAXIMUM = Entity(platform="number", key="maximum_total_current")
AVAILABLE = Entity(platform="number", key="available_current")
DEFAULT = Entity(platform="number", key="default_available_current")
SET_AVAILABLE = Action(name="set_available_current", field="current")
WATCHDOG = Entity(platform="switch", key="watchdog")
START_PHASE = Entity(platform="number", key="start_phase")
MARGIN = Entity(platform="number", key="demand_margin")
MINIMUM = Entity(platform="number", key="minimum_current")
LOG = Entity(platform="switch", key="distribution_log")
SILENCE = Behaviour(
    tests=("control/test_external.py::test_silence_falls_back_within_one_step_and_the_next_value_is_back",),
    reasons=(Reason.LIMITED_BY_WATCHDOG, Reason.WAITING_FOR_WATCHDOG),
)
MANAGED = Option(flow="options", step="init", field="managed")
VEHICLE = Option(flow="options", step="init", field="vehicle")
NUMBERS = {number.key: number for number in SITE_NUMBERS}
STEP = NUMBERS["demand_margin"].native_step
LEAST_DEFAULT = NUMBERS["default_available_current"].native_min_value

WARP_LOAD = Table(
    title="WARP load management",
    file="warp_load_management.de.txt",
    digest="798526a0c5cf507bf5e4dbc4f6fcef143a624376588e2cd73cf8d5a5d34cf7b1",
    rows=(
        Row(
            keys=lines(7),
            says="One current is shared by many chargers",
            places=(
                Option(flow="config", step="connection", field="expected_chargers"),
                Behaviour(tests=("control/test_distribution.py::test_a_day_of_32_chargers",)),
            ),
            numbers=(Number(text="32", meaning="chargers at most; more here", within=(1, MAX_CHARGERS)),),
        ),
        Row(
            keys=lines(8),
            says="One box is the manager of the others; the current is fixed, or set through an API",
            places=(MAXIMUM, AVAILABLE, SET_AVAILABLE),
            note="Home Assistant is the manager, so no charger is special.",
            numbers=(Number(text="31", meaning="other boxes: none is special here", within=(1, MAX_CHARGERS)),),
        ),
        Row(
            keys=lines(18),
            says="A managed charger charges only while it is told to",
            places=(Behaviour(tests=("integration/test_behaviour.py::test_hold_again_after_unplugging",)),),
        ),
        Row(
            keys=lines(19),
            says="A charger that hears nothing for a while stops by itself",
            places=(
                Option(flow="options", step="init", field="current_without_ha"),
                Behaviour(tests=("integration/test_behaviour.py::test_stop_of_home_assistant",)),
                Nowhere(because="A Wattpilot has no watchdog: what it draws on its own is set beforehand instead."),
            ),
        ),
        Row(
            keys=lines(21),
            says="The manager stops all when one does not answer",
            places=(
                Entity(platform="button", key="gone", owner=Owner.CHARGER),
                Behaviour(
                    tests=(
                        "control/test_failsafe.py::test_a_charger_lost_while_charging_keeps_its_share_and_stops_nobody",
                    ),
                    reasons=(Reason.UNREACHABLE,),
                ),
            ),
            note="What the lost one could draw stays reserved, and the others go on within what is left.",
        ),
        Row(
            keys=lines(26, 27),
            says="All who charge or are ready share alike; who comes makes the others give way",
            places=(
                Behaviour(
                    tests=(
                        "integration/test_behaviour.py::test_two_chargers_share",
                        "control/test_stories.py::test_two_fast_cars_never_exceed_the_fuse_while_one_makes_room",
                    )
                ),
            ),
        ),
        Row(keys=("fremdgesteuert",), says="A box is to be managed", places=(MANAGED,)),
        Row(
            keys=("Lastmanager",),
            says="A box is to be the manager",
            places=(Nowhere(because="Home Assistant is the manager."),),
        ),
        Row(
            keys=("Kontrollierte Wallbox", "Wallbox hinzufügen"),
            says="Boxes that the manager finds are added to it",
            places=(Option(flow="config", step="wattpilot", field="host"),),
            note="Home Assistant discovers chargers; each is an entry of its own.",
        ),
        Row(
            keys=("Experteneinstellungen",),
            says="Where rare settings are",
            places=(Nowhere(because="Entities for experts are disabled until somebody enables them at the device."),),
        ),
        Row(
            keys=lines(81),
            says="To share a fixed current between two boxes nothing else has to be set",
            places=(MAXIMUM, Behaviour(tests=("integration/test_behaviour.py::test_two_chargers_share",))),
            numbers=(Number(text="16", meaning="A, an example", within=(LOWEST_CURRENT, MAX_FUSE)),),
        ),
        Row(
            keys=("Stromverteilungsprotokoll aktiviert",),
            says="Tells in the log of events why current is shared anew",
            places=(
                LOG,
                Diagnostics(path="distribution.records"),
                Entity(platform="event", key="charging", owner=Owner.CHARGER),
                Entity(platform="event", key="limits"),
                Behaviour(tests=("control/test_distribution.py::test_a_day_of_32_chargers",)),
            ),
            note="The last changes are always kept; the switch keeps every single one of a day. What people care about "
            "is an event, and a line of the logbook.",
        ),
        Row(
            keys=("Watchdog aktiviert",),
            says="Acts when the system outside fails",
            places=(
                WATCHDOG,
                Entity(platform="binary_sensor", key="watchdog"),
                Entity(platform="event", key="limits"),
                SILENCE,
            ),
            writes=write(WATCHDOG, "strategy.watchdog", True, False),
        ),
        Row(
            keys=lines(97),
            says="Without a new value for a while the default current holds",
            places=(WATCHDOG, AVAILABLE, DEFAULT, SILENCE),
            note="Over as soon as the value is set again.",
            numbers=(Number(text="30", meaning="s", same=Timings().watchdog),),
        ),
        Row(
            keys=("Maximal Gesamtstrom", "Maximaler Gesamtstrom"),
            says="The most that may ever be set as available; more is not accepted",
            places=(
                MAXIMUM,
                Behaviour(tests=("integration/test_entities.py::test_available_current_stays_below_the_maximum",)),
            ),
            writes=write(MAXIMUM, "strategy.maximum_total_current_a", 20),
        ),
        Row(
            keys=("Voreingestellt verfügbarer Strom",),
            says="What is available after a restart",
            places=(DEFAULT,),
            writes=write(DEFAULT, "strategy.default_available_current_a", 10),
        ),
        Row(
            keys=lines(123),
            says="With nothing as the default nobody charges before the system outside has spoken",
            places=(DEFAULT, Behaviour(tests=("control/test_external.py::test_default_of_zero_stops",))),
            numbers=(Number(text="0", meaning="A: allowed", same=LEAST_DEFAULT),),
            writes=write(DEFAULT, "strategy.default_available_current_a", 0),
        ),
        Row(
            keys=("Verfügbarer Strom",),
            says="What all may draw together now",
            places=(
                AVAILABLE,
                SET_AVAILABLE,
                Entity(platform="switch", key="external_current"),
                Behaviour(
                    tests=(
                        "control/test_external.py::test_available_current_is_shared_and_only_a_cap",
                        "control/test_external.py::test_not_used_at_all",
                    ),
                    reasons=(Reason.LIMITED_BY_AVAILABLE_CURRENT, Reason.WAITING_FOR_AVAILABLE_CURRENT),
                ),
            ),
            note="A per phase. The switch says whether it is used at all.",
            writes=write(AVAILABLE, "strategy.available_current_a", 16, 0),
        ),
        Row(
            keys=("Länge der Startphase und Spielraum des Phasenstroms",),
            says="Current that a car does not use goes to others",
            places=(START_PHASE, MARGIN),
            note="Every Wattpilot measures what its car draws, so these always count.",
        ),
        Row(
            keys=("Länge der Startphase",),
            says="So long nobody looks at what a car really draws",
            places=(
                START_PHASE,
                Behaviour(tests=("control/test_turns.py::test_in_the_first_minute_nobody_judges_what_a_car_can_use",)),
            ),
            writes=write(START_PHASE, "timings.start_phase", 90),
        ),
        Row(
            keys=("Spielraum des Phasenstroms",),
            says="So much more than it draws a car may have",
            places=(MARGIN,),
            writes=write(MARGIN, "strategy.demand_margin_a", 1.5),
        ),
        Row(
            keys=lines(132),
            says="What a small car at a large box, or one that is nearly full, does not use is shared",
            places=(
                Behaviour(
                    tests=("control/test_turns.py::test_what_a_car_cannot_use_goes_to_others_and_comes_back_at_once",)
                ),
            ),
            numbers=(
                Number(text="16", meaning="A, an example", within=(LOWEST_CURRENT, HIGHEST_CURRENT)),
                Number(text="32", meaning="A, the largest box here, too", same=HIGHEST_CURRENT),
            ),
        ),
        Row(
            keys=lines(159),
            says="Cars know steps of the current only",
            places=(MARGIN,),
            note="A Wattpilot takes whole amps, so steps are never finer.",
            numbers=(Number(text="0,5", meaning="A; the step of the margin", same=STEP),),
        ),
        Row(
            keys=lines(160),
            says="A car between two steps draws the lower one, and needs more than the next to reach it",
            places=(MARGIN,),
            numbers=(
                Number(text="6", meaning="A, the lower step", same=LOWEST_CURRENT),
                Number(text="6,23", meaning="A: here it is told 6, in whole amps"),
                Number(text="6,5", meaning="A: here it is told 7, in whole amps"),
            ),
        ),
        Row(
            keys=lines(163),
            says="So the margin has to exceed the step",
            places=(MARGIN,),
            numbers=(Number(text="0,5", meaning="A; the default is more", within=(0, Strategy().demand_margin_a)),),
        ),
        Row(
            keys=("Minimaler Ladestrom",),
            says="With less a box does not charge; by the model of the car if wanted",
            places=(
                MINIMUM,
                VEHICLE,
                Option(flow="options", step="own_currents", field="min_current"),
                Option(flow="options", step="own_currents", field="min_current_three"),
            ),
            note="Of the site, and of each charger by its car: for one phase and for more.",
            writes=write(MINIMUM, "strategy.minimum_current_a", 8),
        ),
        Row(
            keys=lines(169),
            says="At least so much",
            places=(MINIMUM,),
            numbers=(Number(text="6", meaning="A", same=LOWEST_CURRENT),),
        ),
        Row(
            keys=lines(170),
            says="A box of theirs measures how well a car uses little current",
            places=(
                Entity(platform="switch", key="weigh_efficiency"),
                VEHICLE,
                Nowhere(because="The power factor is not judged; what little power loses is known from measurements."),
            ),
            numbers=(Number(text="3", meaning="part of a product's name"),),
        ),
        Row(
            keys=lines(177),
            says="As many can charge at once as fit with their minimum",
            places=(
                MINIMUM,
                Behaviour(
                    tests=("control/test_turns.py::test_where_not_all_fit_everybody_has_its_turn",),
                    reasons=(Reason.WAITING_FOR_TURN,),
                ),
            ),
        ),
        Row(
            keys=lines(179),
            says="With a large minimum cars charge fast, one after the other",
            places=(
                MINIMUM,
                Behaviour(tests=("control/test_turns.py::test_a_minimum_of_32_a_lets_one_charge_after_the_other",)),
            ),
            numbers=(Number(text="32", meaning="A, the end of the range", same=HIGHEST_CURRENT),),
            writes=write(MINIMUM, "strategy.minimum_current_a", 32),
        ),
    ),
)
