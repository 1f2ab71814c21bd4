"""What can go wrong with a Wattpilot on the network."""

from dataclasses import dataclass, field

from .wattpilot_keys import Json


@dataclass(kw_only=True)
class WattpilotFaults:
    """What goes wrong; set the attributes while the charger runs.

    Attributes:
        silent: Sends nothing any more, without closing; the sockets still answer pings.
        deaf: A half-open socket: silent, and nothing is read either, so pings stay unanswered.
        refuse: A new connection is cut during the HTTP upgrade.
        wrong_password: Every login fails.
        half_snapshot: The `fullStatus` with `partial: false` never comes.
        delta_in_snapshot: A `deltaStatus` comes between the partial `fullStatus` frames.
        fragmented: `fullStatus` messages come in several WebSocket frames (not those that come late).
        serial: Another identity in `hello` and `sse` (as after a change of addresses).
        unknown_messages: A message of an unknown type comes before each `deltaStatus`.
        override: Values that take the place of the real ones, for example `{"car": 99}`.
        stuck: Key -> value that it keeps whatever happens (see `WattpilotServer.stick`).
        missing_keys: Keys that are left out of every status.
        ignored_keys: Writes to these keys are answered with success and do nothing.
        rejected_keys: Key -> text of the refusal.
        no_response: Writes are applied, but no response is sent.
        answer_delay_s: Time before a response, wall clock seconds; later messages of that client wait as well.
        slow_s: All that is sent comes this late, home time.
        slow_to_s: Where this is more than `slow_s`, each message comes by another time between both late.
        flood: So many more `deltaStatus` messages per second of home time.
        malformed: Every message comes in this broken form (see `wattpilot_distortion.MALFORMED`).
        malformed_beside: The broken messages come beside the good ones, not instead of them.
        truncated: The next status ends in the middle of its WebSocket frame, and so does the connection.
        bad_signatures: No signature is right: every signed message is refused.
        password: Another password than before.
        unknown_keys: So many keys nobody knows, with codes nobody knows in some that are known.
        text_numbers: Every number in a status comes as text.
        sentinels: Key -> name of what stands in the place of its numbers (see `wattpilot_distortion.SENTINELS`).
        clock_s: The charger's clock and its time since the boot are wrong by this many seconds.
    """

    silent: bool = False
    deaf: bool = False
    refuse: bool = False
    wrong_password: bool = False
    half_snapshot: bool = False
    delta_in_snapshot: bool = False
    fragmented: bool = False
    serial: str | None = None
    unknown_messages: bool = False
    override: dict[str, Json] = field(default_factory=dict)
    stuck: dict[str, Json] = field(default_factory=dict)
    missing_keys: set[str] = field(default_factory=set)
    ignored_keys: set[str] = field(default_factory=set)
    rejected_keys: dict[str, str] = field(default_factory=dict)
    no_response: bool = False
    answer_delay_s: float = 0.0
    slow_s: float = 0.0
    slow_to_s: float = 0.0
    flood: int = 0
    malformed: str | None = None
    malformed_beside: bool = False
    truncated: bool = False
    bad_signatures: bool = False
    password: str | None = None
    unknown_keys: int = 0
    text_numbers: bool = False
    sentinels: dict[str, str] = field(default_factory=dict)
    clock_s: float = 0.0

    @property
    def quiet(self) -> bool:
        """Whether nothing is sent."""
        return self.silent or self.deaf
