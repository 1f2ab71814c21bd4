"""The little of SVG that the drawings need."""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

INK, FAINT = "#333", "#ddd"


class Picture:
    """A drawing that is put together element by element."""

    def __init__(self, width: int, height: int, title: str) -> None:
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="white"/>',
        ]
        self.text(10, 18, title, size=14)

    def text(self, x: float, y: float, text: str, *, colour: str = INK, anchor: str = "start", size: int = 11) -> None:
        """Write a text."""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">'
            f"{escape(text)}</text>"
        )

    def line(self, points: Iterable[tuple[float, float]], colour: str, *, width: float = 1.0) -> None:
        """Draw a line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')

    def area(self, points: Sequence[tuple[float, float]], floor_y: float, colour: str) -> None:
        """Fill what is between points and a level."""
        closed = [(points[0][0], floor_y), *points, (points[-1][0], floor_y)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in closed)
        self._parts.append(f'<polygon points="{path}" fill="{colour}" fill-opacity="0.45"/>')

    def dot(self, x: float, y: float, colour: str, tip: str, *, radius: float = 4.0) -> None:
        """Draw a dot with a text that shows when it is pointed at."""
        self._parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" fill-opacity="0.7">'
            f"<title>{escape(tip)}</title></circle>"
        )

    def __str__(self) -> str:
        return "\n".join([*self._parts, "</svg>"]) + "\n"
