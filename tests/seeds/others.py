"""The lists of Plugchoice and Wallbox, and the paper that the project began with."""

from custom_components.pv_load_manager.const import MIN_FUSE
from custom_components.pv_load_manager.control import ROOT_CIRCUIT, Reason

from .model import Action, Behaviour, Entity, Nowhere, Number, Option, Owner, Row, Table, lines
from .warp_api import CHARGE_MODE, DYNAMIC, DYNAMIC_OPTION, GUARANTEED, LARGEST, MAIN_FUSE, METER, TARGET, write
from .warp_load import MANAGED, MAXIMUM, MINIMUM

EXPECTED = Option(flow="config", step="connection", field="expected_chargers")
PHASES = Option(flow="config", step="connection", field="phases")
CIRCUIT_METER = Option(flow="circuit", step="circuit", field="meter")
CIRCUIT_LIMIT = Entity(platform="number", key="circuit_limit", owner=Owner.CIRCUIT)
CONNECTION_LIMIT = Entity(platform="number", key=f"circuit_limit_{ROOT_CIRCUIT}", text="connection_limit")
PEAK_LIMIT = Entity(platform="number", key="peak_limit")
SOLAR_ONLY = Entity(platform="switch", key="solar_only")
GRID_BACKUP = Entity(platform="number", key="grid_backup")
START_THRESHOLD = Entity(platform="number", key="start_threshold")
MAXIMUM_OF_CHARGER = Entity(platform="number", key="maximum_current", owner=Owner.CHARGER)
ROTATION = Option(flow="options", step="init", field="rotation")
METER_LOST = Behaviour(
    tests=("integration/test_failsafe.py::test_grid_meter_fails",), reasons=(Reason.METER_STALE, Reason.METER_LOST)
)
HOUSE_FIRST = Behaviour(
    tests=(
        "control/test_stories.py::test_house_load_cuts_a_fast_car_in_the_step_that_sees_it",
        "control/test_stories.py::test_no_room_for_the_minimum_stops_the_car_and_says_why",
    ),
    reasons=(Reason.LIMITED_BY_FUSE, Reason.WAITING_FOR_FUSE),
)

WALLBOX = Table(
    title="Wallbox Dynamic Load Management",
    file="wallbox_dynamic_load_management.txt",
    digest="f3fe9ff81ee3b31c6c4fcc1ff78b49d2eecc18bab807121a319cda5a6ee73c5c",
    rows=(
        Row(
            keys=lines(3, 7),
            says="The chargers get what the building leaves below its limit; nothing where it leaves nothing",
            places=(DYNAMIC_OPTION, HOUSE_FIRST),
        ),
        Row(
            keys=lines(9),
            says="Cars charge while the building needs little, and the total does not grow",
            places=(
                HOUSE_FIRST,
                Behaviour(tests=("control/test_protection.py::test_export_of_the_roof_gives_no_more_than_the_limit",)),
            ),
        ),
        Row(
            keys=lines(15, 67),
            says="A meter of the maker has to be there",
            places=(METER, Entity(platform="binary_sensor", key="no_phase_currents")),
            note="Any meter that Home Assistant knows serves; one that does not know every phase is told in the form, "
            "and by a flag.",
        ),
        Row(
            keys=lines(17),
            says="Not together with solar charging",
            places=(
                Behaviour(
                    tests=(
                        "control/test_sun_and_limits.py::test_beside_a_car_that_cannot_start_the_other_one_goes_to_three_phases",
                    )
                ),
            ),
            note="Here both always work together: the sun decides within what the fuse allows.",
        ),
        Row(
            keys=lines(19),
            says="For several chargers only",
            places=(EXPECTED,),
            note="One charger is a load manager's work as well.",
        ),
        Row(
            keys=lines(27, 73),
            says="App and chargers shall run the latest versions",
            places=(Nowhere(because="The device page shows a charger's firmware; the app of the maker updates it."),),
        ),
        Row(
            keys=lines(29, 31, 75),
            says="Log in to the app, near the charger, over Bluetooth",
            places=(
                Option(flow="config", step="wattpilot", field="host"),
                Nowhere(because="No account and no Bluetooth: chargers are reached over the local network."),
            ),
        ),
        Row(
            keys=lines(33),
            says="Also at the touchscreen of one of their models",
            places=(Nowhere(because="A Wattpilot has no screen; everything is set in Home Assistant."),),
            numbers=(Number(text="2", meaning="part of a product's name"),),
        ),
        Row(
            keys=lines(39, 41, 51, 55),
            says="Where in the app it is, and how it is saved",
            places=(Nowhere(because="These are forms and entities of Home Assistant here."),),
        ),
        Row(
            keys=lines(43),
            says="How many chargers there are",
            places=(EXPECTED, Entity(platform="binary_sensor", key="fewer_chargers")),
            note="A flag says when there are fewer.",
            writes=write(EXPECTED, "expected_chargers", 3),
        ),
        Row(
            keys=lines(45),
            says="Current per phase that building and chargers may draw at most",
            places=(MAIN_FUSE, MAXIMUM),
        ),
        Row(
            keys=lines(47),
            says="Least current of each charger",
            places=(MINIMUM, Option(flow="options", step="own_currents", field="min_current")),
            writes=write(MINIMUM, "strategy.minimum_current_a", 10),
        ),
        Row(keys=lines(49), says="Turn it on", places=(DYNAMIC_OPTION, DYNAMIC)),
        Row(
            keys=lines(53),
            says="The limit per phase has to exceed a least value",
            places=(MAIN_FUSE, Behaviour(tests=("integration/test_flow_load_manager.py::test_numbers_out_of_range",))),
            numbers=(Number(text="6", meaning="A: refused; whole amps from 7 on", same=MIN_FUSE - 1),),
        ),
        Row(
            keys=lines(61),
            says="Only qualified people may install",
            places=(Nowhere(because="True for every charger; nothing that software could do about it."),),
        ),
        Row(
            keys=lines(69, 71, 77, 91),
            says="Meter and charger have to see each other, and the meter has to see cars and household",
            places=(METER, METER_LOST),
            note="The form shows what the meter says now; a meter that falls silent is told by reason and event, and "
            "comes back by itself.",
        ),
        Row(
            keys=lines(83),
            says="The right cable between charger and meter",
            places=(Nowhere(because="No such cable: chargers are in the network, the meter hangs on the inverter."),),
            numbers=(Number(text="5", meaning="a kind of cable"),),
        ),
        Row(
            keys=lines(85),
            says="Resistance of the bus between charger and meter",
            places=(Nowhere(because="No such bus: chargers are in the network, the meter hangs on the inverter."),),
            numbers=(Number(text="60", meaning="ohms of a bus that is not there"),),
        ),
        Row(
            keys=lines(87),
            says="Switches of the bus at the charger",
            places=(Nowhere(because="No such switches at a Wattpilot."),),
            numbers=(
                Number(text="485", meaning="the name of the bus"),
                Number(text="1", meaning="a position of a switch that is not there"),
                Number(text="7", meaning="a position of a switch that is not there"),
            ),
        ),
        Row(
            keys=lines(89),
            says="The clamps of the meter have to sit the right way round",
            places=(
                Entity(platform="binary_sensor", key="meter_sign"),
                Behaviour(tests=("control/test_meter_sign.py::test_wrong_meter_is_found_within_three_changes",)),
                Option(flow="config", step="grid_sensor", field="meter_direction"),
            ),
            note="A meter that counts the wrong way round is recognised by what the cars draw, and told by a flag.",
        ),
    ),
)

PLUGCHOICE = Table(
    title="Plugchoice Power Management",
    file="plugchoice_power_management.txt",
    digest="80392be9ce090c3f936fe3f75bc42b4bf7e37afa3c007a2ca04120dd0985c559",
    rows=(
        Row(
            keys=lines(1, 2, 7, 9, 13, 19, 28),
            says="Headings",
            places=(Nowhere(because="They say nothing of their own."),),
        ),
        Row(
            keys=lines(3),
            says="Load balancing, power sharing, fast mode",
            places=(MAXIMUM, CHARGE_MODE),
            note="Balancing and sharing always work, fast is a charge mode.",
        ),
        Row(
            keys=lines(4, 18),
            says="Charging on the sun that flows back",
            places=(
                CHARGE_MODE,
                Behaviour(
                    tests=("control/test_stories.py::test_pv_starts_after_its_delay_and_follows_the_sun",),
                    reasons=(Reason.CHARGING_SURPLUS,),
                ),
            ),
            note="Mode `pv`.",
        ),
        Row(
            keys=lines(5, 11),
            says="Solar only, with some backup from the grid",
            places=(
                SOLAR_ONLY,
                GRID_BACKUP,
                Behaviour(tests=("control/test_day_stories.py::test_solar_only_with_a_backup_of_half_a_kilowatt",)),
            ),
            writes=write(SOLAR_ONLY, "strategy.solar_only", True, False)
            + write(GRID_BACKUP, "strategy.grid_backup_w", 500),
        ),
        Row(
            keys=lines(6, 10),
            says="Smart solar, with a threshold for the least charging",
            places=(
                CHARGE_MODE,
                GUARANTEED,
                START_THRESHOLD,
                Behaviour(
                    tests=("control/test_day_stories.py::test_the_minimum_charge_threshold_is_for_the_start_only",)
                ),
            ),
            note="Mode `min_pv` with its guaranteed power; the start threshold is for the mode `pv`.",
            writes=write(START_THRESHOLD, "strategy.start_threshold_w", 2500),
        ),
        Row(
            keys=lines(8, 17),
            says="Peak shaving: a lower limit of a group, because of tariffs for peaks",
            places=(
                CONNECTION_LIMIT,
                CIRCUIT_LIMIT,
                Action(name="set_circuit_limit", field="current"),
                PEAK_LIMIT,
                Entity(platform="switch", key="peak_follow_month"),
                Behaviour(
                    tests=(
                        "control/test_on_demand.py::test_circuit",
                        "control/test_on_demand.py::test_house_connection",
                    ),
                    reasons=(Reason.LIMITED_ON_DEMAND, Reason.WAITING_ON_DEMAND),
                ),
                Behaviour(
                    tests=(
                        "control/test_peak.py::test_a_quiet_house_leaves_nearly_all_to_the_car",
                        "control/test_peak.py::test_the_limit_follows_the_month_and_forgets_it_with_the_next",
                    ),
                    reasons=(Reason.LIMITED_BY_PEAK, Reason.WAITING_FOR_PEAK),
                ),
            ),
            note="A limit in A for any circuit, or the mean of a quarter hour in W, which is what such tariffs count.",
            writes=write(CONNECTION_LIMIT, "circuits.0.demand_limit_a", 12)
            + write(CIRCUIT_LIMIT, "circuits.1.demand_limit_a", 8)
            + write(PEAK_LIMIT, "strategy.peak_limit_w", 5000)
            + write(Entity(platform="switch", key="peak_follow_month"), "strategy.peak_follow_month", True, False),
        ),
        Row(
            keys=lines(12),
            says="A cloud shares the power of grid and generators",
            places=(Nowhere(because="No cloud: everything runs in Home Assistant, also without the internet."),),
        ),
        Row(
            keys=lines(14),
            says="A charger never exceeds the current of its group",
            places=(
                Option(flow="options", step="init", field="circuit"),
                Behaviour(tests=("control/test_circuits.py::test_every_circuit_of_the_tree_holds_at_once",)),
            ),
        ),
        Row(
            keys=lines(15),
            says="Several chargers share it",
            places=(Behaviour(tests=("integration/test_behaviour.py::test_two_chargers_share",)),),
        ),
        Row(
            keys=lines(16, 27),
            says="With a meter in the group its other consumers go first",
            places=(
                CIRCUIT_METER,
                Option(flow="circuit", step="reserve", field="largest_consumer"),
                LARGEST,
                Behaviour(tests=("control/test_circuits.py::test_a_measured_circuit_gives_way_to_its_other_loads",)),
            ),
        ),
        Row(
            keys=lines(20, 21),
            says="Where in app and portal it is set up",
            places=(Nowhere(because="These are forms of Home Assistant here, the same for small and large houses."),),
        ),
        Row(keys=lines(22), says="A meter, or none", places=(METER,), note="Without one a fixed current is shared."),
        Row(keys=lines(23), says="Kind of the connection", places=(PHASES,), writes=write(PHASES, "phases", ("1", 1))),
        Row(keys=lines(24), says="Main fuse", places=(MAIN_FUSE,)),
        Row(keys=lines(25), says="The main fuse is a group", places=(CONNECTION_LIMIT,), note="The house connection."),
        Row(
            keys=lines(26),
            says="Chargers and groups below it, as many and as deep as wanted",
            places=(
                Option(flow="circuit", step="circuit", field="parent"),
                Option(flow="circuit", step="circuit", field="limit"),
                MANAGED,
                Behaviour(tests=("integration/test_circuits.py::test_nested_circuits",)),
            ),
        ),
        Row(
            keys=lines(29),
            says="Phase rotation and maximum current of each connector",
            places=(ROTATION, MAXIMUM_OF_CHARGER),
            writes=write(ROTATION, "chargers.0.rotation", ("l2_l3_l1", (2, 3, 1)))
            + write(MAXIMUM_OF_CHARGER, "chargers.0.max_current_a", 10),
        ),
    ),
)

CLC3 = Table(
    title="CLC3",
    file="clc3_pv_smart_charging.de.md",
    digest="69eae3283f010f5a143ff513d3e8858988212725cb5ba8f5423f34197ef159bb",
    rows=(
        Row(
            keys=lines(1, 3, 21, 29),
            says="Headings",
            places=(Nowhere(because="They say nothing of their own."),),
            numbers=(Number(text="3", meaning="part of the project's name"),),
        ),
        Row(
            keys=lines((4, 10)),
            says="Charging follows the production, so that production and use differ as little as possible",
            places=(
                CHARGE_MODE,
                TARGET,
                Entity(platform="number", key="grid_weight"),
                Behaviour(tests=("control/test_stories.py::test_pv_starts_after_its_delay_and_follows_the_sun",)),
            ),
            note="Import and export count by what they cost; with a cost of grid power of 1 they count alike.",
        ),
        Row(
            keys=lines((11, 18)),
            says="Systems of one maker work with its own devices only",
            places=(METER, Option(flow="config", step="grid_sensor", field="meter_entity")),
            note="Any meter that Home Assistant knows serves.",
        ),
        Row(
            keys=lines((22, 24)),
            says="A SolarEdge inverter is read and a Fronius charger is set, periodically",
            places=(
                Option(flow="config", step="solaredge", field="host"),
                Option(flow="config", step="wattpilot", field="host"),
                Behaviour(tests=("integration/test_behaviour.py::test_off_fast_pv",)),
            ),
        ),
        Row(
            keys=lines(25),
            says="A client near the charger passes values between it and a cloud",
            places=(
                Option(flow="config", step="wattpilot", field="host"),
                Nowhere(because="Home Assistant is in the same network and speaks to the charger itself."),
            ),
        ),
        Row(
            keys=lines(26),
            says="The surplus counts what the charger itself draws; the current is changed, or charging is stopped",
            places=(
                Entity(platform="sensor", key="surplus"),
                Behaviour(
                    tests=(
                        "control/test_stories.py::test_surplus_comes_from_measured_power_not_from_what_is_allowed",
                        "control/test_stories.py::test_pv_keeps_charging_through_a_short_cloud_and_stops_after_a_long_one",
                    )
                ),
            ),
            note="Read over Modbus every few seconds; the REST API gives values that are a quarter of an hour old.",
        ),
        Row(
            keys=lines(27),
            says="All that can be interrupted at any time for full power",
            places=(
                CHARGE_MODE,
                Action(name="set_override", field="current"),
                Behaviour(
                    tests=(
                        "control/test_day_stories.py::test_fast_for_two_hours_and_then_pv_again",
                        "integration/test_override.py::test_override_until_unplugging",
                    ),
                    reasons=(Reason.OVERRIDE,),
                ),
            ),
            note="Mode `fast`, of the site or of one charger; or an override until a time, an energy or unplugging.",
        ),
        Row(
            keys=lines((30, 34)),
            says="Messaging, web application, functions and time series of a cloud",
            places=(Nowhere(because="Home Assistant is all of that: entities, dashboards, automations and recorder."),),
        ),
    ),
)
