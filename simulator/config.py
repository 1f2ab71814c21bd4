"""What a virtual home consists of: plain, frozen descriptions without behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

type PhaseValues = tuple[float, float, float]
"""One value per grid phase L1, L2, L3; 0.0 for a phase the home does not have."""


@dataclass(frozen=True, kw_only=True)
class PvConfig:
    """The roof: a built-in sunny day, a constant, or a recorded trace.

    Attributes:
        peak_w: Highest power of the built-in day, W.
        sunrise_h: Start of the built-in day, hours since local midnight.
        sunset_h: End of the built-in day, hours since local midnight.
        clouds: 0 = clear sky, 1 = clouds may take all of the sun (built-in day only).
        constant_w: A constant power in W instead of a day.
        csv: A trace instead of the built-in day (see `traces.py` for the formats).
        scale: Factor on the trace.
    """

    peak_w: float = 9000.0
    sunrise_h: float = 6.0
    sunset_h: float = 20.5
    clouds: float = 0.0
    constant_w: float | None = None
    csv: Path | None = None
    scale: float = 1.0


@dataclass(frozen=True, kw_only=True)
class HouseConfig:
    """The household without its cars.

    Attributes:
        base_w: What always runs, W (built-in day).
        constant_w: A constant power in W instead of a day.
        csv: A trace instead of the built-in day (see `traces.py` for the formats).
        scale: Factor on the trace.
        shares: Part of the load on L1, L2 and L3; they add up to 1.
    """

    base_w: float = 300.0
    constant_w: float | None = None
    csv: Path | None = None
    scale: float = 1.0
    shares: PhaseValues = (0.5, 0.3, 0.2)


@dataclass(frozen=True, kw_only=True)
class CircuitConfig:
    """A cable with a limit, and what hangs on it besides chargers. The same on every phase: the limit.

    Attributes:
        name: Unique; chargers and other circuits refer to it.
        parent: Name of the circuit that feeds it; None = the house connection.
        limit_a: What its fuse carries per phase, A; None = no limit of its own.
        load_w: Its own load per phase that nobody controls, W; negative = it feeds in.
        load_a: The same as a current per phase, A; counts in addition to `load_w`.
        house_share: Part of the household's load that is behind this circuit, 0 to 1.
        metered: Whether somebody measures it.
    """

    name: str
    parent: str | None = None
    limit_a: float | None = None
    load_w: PhaseValues = (0.0, 0.0, 0.0)
    load_a: PhaseValues = (0.0, 0.0, 0.0)
    house_share: float = 0.0
    metered: bool = True


@dataclass(frozen=True, kw_only=True)
class BatteryConfig:
    """A home battery on the DC side of the inverter.

    Attributes:
        capacity_wh: Usable capacity, Wh.
        max_charge_w: Highest charging power, W.
        max_discharge_w: Highest discharging power, W.
        soc: State of charge at the start, 0 to 1.
        min_soc: Below this it does not discharge, 0 to 1.
        time_constant_s: How fast its controller brings the grid to 0 W.
    """

    capacity_wh: float = 9700.0
    max_charge_w: float = 5000.0
    max_discharge_w: float = 5000.0
    soc: float = 0.5
    min_soc: float = 0.1
    time_constant_s: float = 3.0


@dataclass(frozen=True, kw_only=True)
class InverterConfig:
    """The SolarEdge inverter and the meters behind its Modbus TCP port.

    Attributes:
        serial: Serial number in the SunSpec common block.
        rated_w: AC rating; more sun than this goes into the battery or is lost.
        phases: 3 = symmetric on three phases (model 103), 1 = on L1 only (model 101).
        export_limit_w: Highest export at the grid connection, W; None = unlimited.
        meters: Option string of each meter in slot order. One containing `Export` and `Import` is
            the grid meter, `Production` counts the inverter, `Consumption` the load.
        port: TCP port; 0 = any free one.
        unit_id: Modbus unit.
        latency_s: Time each request takes, wall clock seconds.
        idle_close_s: A client that asks nothing for this long is disconnected, wall clock seconds.
        end_marker: The SunSpec chain ends with 0xFFFF, 0; False = with an exception.
        circuit: Name of the circuit that it feeds into; None = the house connection.
        synergy_units: Units of a Synergy inverter, 2 or 3: model 160 moves the meters up; 0 = another inverter.
        followers: Serial numbers of inverters behind the same port, unit after unit: they have no meters and no
            battery, and all inverters make the same part of what the roof gives.
    """

    serial: str = "7E000001"
    rated_w: float = 10000.0
    phases: int = 3
    export_limit_w: float | None = None
    meters: tuple[str, ...] = ("Export+Import",)
    port: int = 0
    unit_id: int = 1
    latency_s: float = 0.0
    idle_close_s: float = 120.0
    end_marker: bool = True
    circuit: str | None = None
    synergy_units: int = 0
    followers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CloudConfig:
    """The cloud that the inverter sends to, behind one HTTP port: version 1 and version 2 of its interface.

    Attributes:
        site_id: The site's number.
        name: The site's name.
        api_key: Key of version 1.
        fleet_key: Key of version 2 (`X-API-Key`).
        token: Access token of version 2 (`Authorization: Bearer`).
        time_zone: Of the site.
        starts_at: The cloud's time at the start of the home, with a time zone; None = the wall clock's. From then on
            home time passes in the cloud, too.
        delay_s: So late everything arrives there, home seconds.
        bucket_s: Length of what version 2 calls a quarter of an hour, home seconds.
        meter: Whether it knows what the house takes from the grid.
        day_quota: Calls of version 1 within 24 hours.
        month_quota: Calls of version 2 within 30 days.
        minute_quota: Calls of version 2 within a minute.
        port: TCP port; 0 = any free one.
    """

    site_id: str = "1234567"
    name: str = "Virtual home"
    api_key: str = "V1KEY000000000000000000000000001"
    fleet_key: str = "v2-fleet-key-0001"
    token: str = "v2-access-token-0001"  # noqa: S105 - there is nothing behind it to protect
    time_zone: str = "Europe/Berlin"
    starts_at: datetime | None = None
    delay_s: float = 180.0
    bucket_s: float = 900.0
    meter: bool = True
    day_quota: int = 300
    month_quota: int = 2000
    minute_quota: int = 10
    port: int = 0


@dataclass(frozen=True, kw_only=True)
class CarConfig:
    """A car and its onboard charger.

    Attributes:
        phases: Phases of the onboard charger, 1 to 3.
        max_current: Highest current per phase, A.
        min_current: Below this offer it does not charge, A.
        ramp_up: A/s.
        ramp_down: A/s.
        start_delay_s: From the permission to charge to the first current, s.
        capacity_wh: Battery capacity, Wh.
        soc: State of charge at the start, 0 to 1.
        target_soc: Charges up to here, 0 to 1.
        stalls_after_switch: Takes a switch of phases for the end of the charge, until it is held or seems unplugged.
    """

    phases: int = 3
    max_current: float = 16.0
    min_current: float = 6.0
    ramp_up: float = 2.0
    ramp_down: float = 8.0
    start_delay_s: float = 5.0
    capacity_wh: float = 60000.0
    soc: float = 0.3
    target_soc: float = 1.0
    stalls_after_switch: bool = False


@dataclass(frozen=True, kw_only=True)
class Timings:
    """Times inside a Wattpilot, in seconds of home time; tests scale them down.

    Attributes:
        pause_scale: Factor on the key `psmd` for the pause around a phase switch.
        pnp_lag_s: `pnp` follows a start after this time (about 24 s on firmware 42.5).
        reboot_drop_s: From the write of `rst` to the loss of the socket (about 17 s on 42.5).
        reboot_down_s: How long the charger then stays away.
        tcl_s: After this time without a refresh `tcl` falls back to null (10 min in go-e's documents).
    """

    pause_scale: float = 1.0
    pnp_lag_s: float = 24.0
    reboot_drop_s: float = 17.0
    reboot_down_s: float = 8.0
    tcl_s: float = 600.0


@dataclass(frozen=True, kw_only=True)
class ChargerConfig:
    """One Wattpilot.

    Attributes:
        serial: Digits; also the salt of the password's key derivation.
        password: The password set in the app.
        name: Friendly name.
        rotation: Grid phase (1 to 3) behind the charger's own L1, L2, L3.
        wired_phases: 3, or 1 for a charger connected to one phase (its L1).
        max_current: The key `ama`, A.
        variant: The key `var`: 11 or 22 kW.
        amp: Requested current at the start; None = `max_current`.
        mode: The key `lmo`: 3 Default, 4 Eco, 5 Next Trip.
        psm: 0 automatic, 1 one phase, 2 three phases.
        access: The key `acs`: 0 open, 1 waits for authorisation.
        unsymmetry_current: Highest current while on one phase, A.
        car: The car that belongs here; None = no car.
        plugged: Whether it is plugged in at the start.
        auth: What `authRequired.hash` says: `pbkdf2`, `bcrypt` or `omit`.
        flex: Announces itself as a Wattpilot Flex (bcrypt, also where `hash` is omitted).
        firmware: Firmware version.
        lifetime_wh: The key `eto` at the start, Wh.
        port: TCP port; 0 = any free one.
        circuit: Name of the circuit that feeds it; None = the house connection.
    """

    serial: str = "10000001"
    password: str = "virtual-home"  # noqa: S105 - there is nothing behind it to protect
    name: str = "Garage"
    rotation: tuple[int, int, int] = (1, 2, 3)
    wired_phases: int = 3
    max_current: int = 16
    variant: int = 11
    amp: int | None = None
    mode: int = 4
    psm: int = 0
    access: int = 0
    unsymmetry_current: int = 32
    car: CarConfig | None = field(default_factory=CarConfig)
    plugged: bool = True
    auth: str = "pbkdf2"
    flex: bool = False
    firmware: str = "42.5"
    lifetime_wh: float = 2_680_803.0
    port: int = 0
    circuit: str | None = None


@dataclass(frozen=True, kw_only=True)
class FaultConfig:
    """Something that goes wrong from the start.

    Attributes:
        device: Serial number of a charger, its number from 1, or `inverter`.
        name: The fault, as the control endpoint calls it.
        parameters: What it wants to know.
        for_s: Ends by itself after this much home time, s; None = never.
    """

    device: str
    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    for_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class HomeConfig:
    """The whole virtual home.

    Attributes:
        pv: The roof; its AC power goes through `inverter`.
        house: The household.
        battery: The battery, or None.
        inverter: The inverter with its Modbus port, or None for a home without sun and meter.
        cloud: What the inverter also sends to, or None.
        chargers: The Wattpilots.
        circuits: The circuits behind the house connection, in any order.
        main_fuse_a: Limit of the house connection per phase, A; None = nobody counts what is above it.
        phases: Phases of the grid connection, 3 or 1.
        voltage: Voltage of an idle phase, V.
        voltage_drop: V per kW drawn on that phase.
        start_on: Local date at the start.
        start_at: Local time of day at the start.
        seed: Of everything that looks random.
        speed: Seconds of home time per second of wall clock; 0 = time stands still until `advance()`.
        timings: Times inside the Wattpilots.
        faults: What goes wrong from the start.
        control_port: TCP port of the control endpoint; 0 = any free one, None = there is none.
        control_host: Address of the control endpoint.
    """

    pv: PvConfig = field(default_factory=PvConfig)
    house: HouseConfig = field(default_factory=HouseConfig)
    battery: BatteryConfig | None = None
    inverter: InverterConfig | None = field(default_factory=InverterConfig)
    cloud: CloudConfig | None = None
    chargers: tuple[ChargerConfig, ...] = (ChargerConfig(),)
    circuits: tuple[CircuitConfig, ...] = ()
    main_fuse_a: float | None = None
    phases: int = 3
    voltage: float = 230.0
    voltage_drop: float = 0.4
    start_on: date = date(2026, 6, 21)
    start_at: time = time(11, 0)
    seed: int = 1
    speed: float = 1.0
    timings: Timings = field(default_factory=Timings)
    faults: tuple[FaultConfig, ...] = ()
    control_port: int | None = None
    control_host: str = "127.0.0.1"
