"""A household's day, a value per second: base load, fridge, kettles, cooking at noon and in the evening, dishwasher."""

from array import array
from random import Random

NOON, EVENING = 11 * 3600 + 1800, 18 * 3600


def household(begin: int, seconds: int, random: Random) -> array[float]:
    """Return a household's power in W from a second of the day on."""
    watts = array("d", bytes(8 * seconds))
    base = random.uniform(300.0, 500.0)
    second = 0
    while second < seconds:
        lasts = round(random.uniform(900.0, 3600.0))
        _add(watts, second, lasts, max(300.0, min(500.0, base + random.gauss(0.0, 40.0))))
        second += lasts
    second = round(random.uniform(0.0, 1800.0))
    while second < seconds:
        runs = round(random.uniform(600.0, 1200.0))
        _add(watts, second, runs, 90.0)
        _add(watts, second, 2, 250.0)
        second += runs + round(random.uniform(1500.0, 2700.0))
    for _ in range(random.randint(5, 9)):
        at = random.randint(6 * 3600, 20 * 3600) - begin
        _add(watts, at, random.randint(120, 180), random.uniform(1900.0, 2100.0))
    for meal in (NOON, EVENING):
        _cook(watts, meal + random.randint(0, 3600) - begin, random)
    _wash(watts, random.randint(9 * 3600, 16 * 3600) - begin, random)
    for second in range(seconds):
        watts[second] += random.uniform(-8.0, 8.0)
    return watts


def _cook(watts: array[float], at: int, random: Random) -> None:
    """A hob that boils first and then keeps its heat by switching on and off."""
    _add(watts, at, 360, 2200.0)
    second = at + 360
    for _ in range(random.randint(20, 35)):
        _add(watts, second, random.randint(10, 25), 1800.0)
        second += random.randint(40, 70)


def _wash(watts: array[float], at: int, random: Random) -> None:
    """A dishwasher: heats twice, its pump runs all the time."""
    _add(watts, at, 6000, 80.0)
    for begin in (300, 4200):
        _add(watts, at + begin, random.randint(720, 1080), 2000.0)


def _add(watts: array[float], at: int, lasts: int, power_w: float) -> None:
    for second in range(max(0, at), min(len(watts), at + lasts)):
        watts[second] += power_w
