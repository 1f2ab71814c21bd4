import { css, html, nothing, type PropertyDeclarations, svg, type TemplateResult } from "lit";
import { number, power } from "../../format";
import { tokens } from "../../styles";
import { clock, clockOf, DAY, midnight, timeZone, weekdayOf } from "../../time";
import type { Curve, CurveKey } from "./curves";
import { LEFT, RIGHT, TimelinePart } from "./part";
import { columns, paths, range } from "./paths";
import { type Frame, ticks, timeTicks, x } from "./scale";
import { valueAt } from "./track";

/** What stands above and below the curves, in px. */
const TOP = 14;
const BOTTOM = 22;
/** How far an arrow key moves the pointer, in px, and how many times so far each key does. */
const STRIDE = 8;
const STRIDES: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};
/** Curves that are filled down to zero. */
const AREAS: readonly CurveKey[] = ["surplus", "charging"];

interface Drawn {
  key: CurveKey;
  line: string;
  area: string;
}

interface Picture {
  frame: Frame;
  y: (value: number) => number;
  levels: number[];
  drawn: Drawn[];
}

/** The curves over the time, with their values now or at the pointer. */
export class TimelineChart extends TimelinePart {
  static override properties: PropertyDeclarations = {
    ...TimelinePart.properties,
    curves: { attribute: false },
    height: { attribute: false },
    pointer: { state: true },
    without: { state: true },
  };
  declare curves: readonly Curve[];
  /** px */
  declare height: number;
  /** ms; undefined = nowhere. */
  declare pointer: number | undefined;
  declare without: ReadonlySet<CurveKey>;
  private picture: Picture | undefined;

  static override styles = [
    tokens,
    css`
      :host { container-type: inline-size; }
      .legend { display: flex; flex-wrap: wrap; gap: 0 4px; margin: 0 -8px; }
      .legend button {
        display: flex; align-items: center; gap: 8px; min-height: 40px; padding: 0 8px; border-radius: 8px;
        text-align: start;
      }
      .legend button:hover { background: var(--pvlm-faint); }
      .legend svg { flex: none; }
      .legend [aria-pressed="false"] svg { opacity: 0.3; }
      .legend [aria-pressed="false"] .name { text-decoration: line-through; }
      .name { color: var(--pvlm-soft); }
      .number { min-width: 4.6em; font-weight: 500; }
      .number.grid { min-width: 9.2em; }
      .plot { position: relative; touch-action: pan-y; cursor: crosshair; border-radius: 4px; }
      .plot svg { display: block; width: 100%; height: 100%; overflow: visible; }
      text { fill: var(--pvlm-soft); font-size: 12px; font-variant-numeric: tabular-nums; }
      .level { stroke: var(--pvlm-line); }
      .zero { stroke: var(--pvlm-soft); }
      path { fill: none; stroke-width: 1.5; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
      .surplus { --color: var(--pvlm-pv); }
      .charging { --color: var(--pvlm-car); }
      .grid { --color: var(--pvlm-export); }
      .pv { --color: color-mix(in srgb, var(--pvlm-pv) 70%, var(--pvlm-text)); }
      path.line { stroke: var(--color); }
      path.charging { stroke-width: 2.5; }
      path.pv { stroke-dasharray: 2 3; }
      /* Opaque, so that what lies over another is not a mix of both: what is left to see of the surplus was not charged. */
      path.area { fill: color-mix(in srgb, var(--color) 24%, var(--pvlm-paper)); }
      circle { fill: var(--color); stroke: var(--pvlm-paper); stroke-width: 2; }
      .pointer { stroke: var(--pvlm-soft); stroke-dasharray: 3 3; }
      .at {
        position: absolute; top: -6px; padding: 0 6px; border-radius: 4px; font-size: 12px; line-height: 20px;
        transform: translateX(-50%); pointer-events: none;
        background: var(--pvlm-text); color: var(--pvlm-paper);
      }
      @container (max-width: 480px) {
        .legend { display: grid; grid-template-columns: 1fr 1fr; }
        .legend button { flex-wrap: wrap; gap: 0 8px; padding-block: 4px; }
        .number, .number.grid { flex-basis: 100%; min-width: 0; padding-inline-start: 26px; line-height: 1.2; }
        .name { font-size: 13px; }
      }
    `,
  ];

  constructor() {
    super();
    this.without = new Set(["pv"]);
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if ([...changed.keys()].some((name) => name !== "hass" && name !== "pointer")) {
      this.picture = this.width > LEFT + RIGHT ? this.draw() : undefined;
    }
  }

  private get shown(): Curve[] {
    return this.curves.filter(({ key }) => !this.without.has(key));
  }

  private draw(): Picture {
    const frame = {
      from: this.from,
      to: this.to,
      width: this.width - LEFT - RIGHT,
      height: this.height - TOP - BOTTOM,
    };
    const shown = this.shown.map(({ key, track }) => ({ key, runs: columns(track, frame) }));
    const ranges = shown.map(({ runs }) => range(runs)).filter((item) => item !== undefined);
    const levels = ticks(
      Math.min(0, ...ranges.map(([low]) => low)),
      Math.max(0, ...ranges.map(([, high]) => high)),
      Math.max(2, Math.round(frame.height / 44)),
      1000,
    );
    const [least, most] = [levels[0] ?? 0, levels.at(-1) ?? 1];
    const y = (value: number): number => frame.height - ((value - least) / (most - least)) * frame.height;
    return { frame, y, levels, drawn: shown.map(({ key, runs }) => ({ key, ...paths(runs, y) })) };
  }

  override render(): TemplateResult {
    const time = this.pointer ?? this.to;
    return html`
      <div class="legend" role="group" aria-label=${this.text("timeline.curves")}>
        ${this.curves.map(({ key, track }) => this.entry(key, valueAt(track, time)))}
      </div>
      <div
        class="plot"
        style="height:${this.height}px"
        tabindex="0"
        role="slider"
        aria-label=${this.text("timeline.chart")}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${Math.round(((time - this.from) / (this.to - this.from)) * 100)}
        aria-valuetext=${this.spoken(time)}
        @pointermove=${this.point}
        @pointerdown=${this.point}
        @pointerleave=${this.left}
        @focus=${this.enter}
        @blur=${this.leave}
        @keydown=${this.key}
      >${this.picture ? this.plot(this.picture) : nothing}</div>
    `;
  }

  private entry(key: CurveKey, value: number): TemplateResult {
    const shown = !this.without.has(key);
    const [low, high] = key === "grid" || key === "pv" ? [7, 7] : [12, 4];
    return html`<button
      data-curve=${key}
      data-value=${Number.isNaN(value) ? "" : Math.round(value)}
      aria-pressed=${shown}
      title=${this.text(`curve.${key}_means`)}
      @click=${() => this.toggle(key)}
    >
      <svg class=${key} width="18" height="14" aria-hidden="true">
        ${AREAS.includes(key) ? svg`<path class="area ${key}" d="M0 14V${low}H9V${high}H18V14Z"></path>` : nothing}
        <path class="line ${key}" d="M0 ${low}H9V${high}H18"></path>
      </svg>
      <span class="name">${this.text(`curve.${key}`)}</span>
      <span class="number ${key}">${this.told(key, value)}</span>
    </button>`;
  }

  /** A value in words; the sign of the grid is told, not shown. */
  private told(key: CurveKey, value: number): string {
    const known = Number.isNaN(value) ? null : value;
    if (key !== "grid" || known === null || Math.abs(known) < 0.5) return power(this.hass, known);
    return this.text(known > 0 ? "timeline.import" : "timeline.export", { power: power(this.hass, Math.abs(known)) });
  }

  private spoken(time: number): string {
    const values = this.shown.map(
      ({ key, track }) => `${this.text(`curve.${key}`)} ${this.told(key, valueAt(track, time))}`,
    );
    return [this.clock(time), ...values].join(", ");
  }

  private clock(time: number): string {
    return clock(this.hass, new Date(time));
  }

  /** A time at the axis; where there are several days, midnight is the day that begins. */
  private tick(time: number): string {
    const day = this.to - this.from > DAY && midnight(time, timeZone(this.hass)) === time;
    return day ? weekdayOf(this.hass, time) : clockOf(this.hass, time);
  }

  private plot({ frame, y, levels, drawn }: Picture): TemplateResult {
    const digits = levels.some((level) => level % 1000 !== 0) ? 1 : 0;
    const at = this.pointer === undefined ? undefined : x(frame, this.pointer);
    return html`<svg aria-hidden="true">
        <g transform="translate(${LEFT} ${TOP})">
          ${levels.map(
            (level) => svg`
              <line class=${level === 0 ? "zero" : "level"} x2=${frame.width} y1=${y(level)} y2=${y(level)}></line>
              <text x="-8" y=${y(level) + 4} text-anchor="end">${number(this.hass, level / 1000, digits)}${level === levels.at(-1) ? " kW" : ""}</text>`,
          )}
          ${timeTicks(frame, timeZone(this.hass), 64).map(
            (time) =>
              svg`<text x=${x(frame, time)} y=${frame.height + 17} text-anchor="middle">${this.tick(time)}</text>`,
          )}
          ${drawn.map(({ key, area, line }) => [
            AREAS.includes(key) ? svg`<path class="area ${key}" d=${area}></path>` : nothing,
            svg`<path class="line ${key}" d=${line}></path>`,
          ])}
          ${at === undefined ? nothing : svg`<line class="pointer" x1=${at} x2=${at} y2=${frame.height}></line>`}
          ${this.dots(at, y)}
        </g>
      </svg>
      ${
        at === undefined || this.pointer === undefined
          ? nothing
          : html`<span class="at number" aria-hidden="true" style="left:${at + LEFT}px">${this.clock(this.pointer)}</span>`
      }`;
  }

  private dots(at: number | undefined, y: (value: number) => number): unknown {
    if (at === undefined || this.pointer === undefined) return nothing;
    const time = this.pointer;
    return this.shown
      .map(({ key, track }) => ({ key, value: valueAt(track, time) }))
      .filter(({ value }) => !Number.isNaN(value))
      .map(({ key, value }) => svg`<circle class=${key} cx=${at} cy=${y(value)} r="4"></circle>`);
  }

  private toggle(key: CurveKey): void {
    const hidden = new Set(this.without);
    if (!hidden.delete(key)) hidden.add(key);
    this.without = hidden;
  }

  private point(event: PointerEvent): void {
    const { frame } = this.picture ?? {};
    if (frame === undefined) return;
    const left = (event.currentTarget as HTMLElement).getBoundingClientRect().left + LEFT;
    this.pointAt(this.from + ((event.clientX - left) / frame.width) * (this.to - this.from));
  }

  private pointAt(time: number): void {
    this.pointer = Math.min(this.to, Math.max(this.from, time));
  }

  private leave(): void {
    this.pointer = undefined;
  }

  /** What a finger points at stays when it is lifted. */
  private left({ pointerType }: PointerEvent): void {
    if (pointerType !== "touch") this.leave();
  }

  /** Stands still from then on: a time that goes on would be read out again and again. */
  private enter(): void {
    this.pointer ??= this.to;
  }

  private key(event: KeyboardEvent): void {
    const { frame } = this.picture ?? {};
    if (frame === undefined) return;
    if (event.key === "Escape") this.leave();
    const strides = STRIDES[event.key];
    if (strides === undefined) return;
    event.preventDefault();
    this.pointAt((this.pointer ?? this.to) + ((this.to - this.from) / frame.width) * STRIDE * strides);
  }
}
