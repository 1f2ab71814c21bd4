"""The home that the browser looks at: a constant sun, so that numbers stand still long enough to be compared."""

from simulator import BatteryConfig, CarConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig

GARAGE, CARPORT, GUEST = "10000001", "10000002", "10000003"
INVERTER = "7E000001"

HOME = HomeConfig(
    pv=PvConfig(constant_w=8000.0),
    house=HouseConfig(constant_w=600.0),
    battery=BatteryConfig(soc=0.97),
    chargers=(
        ChargerConfig(serial=GARAGE, name="Garage", car=CarConfig(start_delay_s=2.0, soc=0.1)),
        ChargerConfig(serial=CARPORT, name="Carport", car=CarConfig(start_delay_s=2.0, soc=0.1), rotation=(2, 3, 1)),
        ChargerConfig(serial=GUEST, name="Guest", car=None, rotation=(3, 1, 2)),
    ),
)
