import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { icon } from "../../icon";
import type { Home } from "../../model";
import { tokens } from "../../styles";
import { GLYPHS } from "./glyphs";
import { type Group, grouped, type Lane } from "./marks";
import { LEFT, RIGHT, TimelinePart } from "./part";
import { sentence, words } from "./words";

/** Marks that are nearer than this are one, in px: with a finger one needs more room. */
const GAP = 24;
const GAP_TOUCH = 40;
/** More are counted, and told by the list. */
const MOST_TOLD = 4;
const BUBBLE = 280;

interface Placed {
  id: string;
  lane: number;
  group: Group;
}

/** What happened to each charger: a lane of marks each, below the chart and in its scale. */
export class TimelineLanes extends TimelinePart {
  static override properties: PropertyDeclarations = {
    ...TimelinePart.properties,
    home: { attribute: false },
    lanes: { attribute: false },
    open: { state: true },
    current: { state: true },
  };
  declare home: Home;
  declare lanes: readonly Lane[];
  /** Whose bubble is shown. */
  declare open: string | undefined;
  /** What the user moved to. */
  declare current: string | undefined;
  /** What the tabulator key reaches: that, or the newest. */
  private stop: string | undefined;
  private placed: Placed[] = [];

  static override styles = [
    tokens,
    css`
      :host { margin-block-start: 8px; }
      .lane { position: relative; height: 52px; }
      .name {
        position: absolute; inset-block-start: 0; font-size: 12px; line-height: 16px; color: var(--pvlm-soft);
        max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
      }
      .track {
        position: absolute; inset-block-start: 16px; height: 36px;
        border-block-end: 1px solid var(--pvlm-line);
      }
      .band {
        position: absolute; inset-block-end: -1px; height: 4px; border-radius: 2px 2px 0 0; background: var(--pvlm-car);
      }
      button {
        position: absolute; inset-block: -3px -2px; width: var(--gap); margin-inline-start: calc(var(--gap) / -2);
        padding: 0 0 4px; display: grid; place-items: center;
      }
      .mark {
        position: relative; display: grid; place-items: center; width: 22px; height: 22px; border-radius: 11px;
        background: color-mix(in srgb, var(--pvlm-text) 10%, var(--pvlm-paper));
      }
      button:hover .mark, button:focus-visible .mark { background: var(--pvlm-line); }
      .over { background: none; box-shadow: inset 0 0 0 1px var(--pvlm-line); color: var(--pvlm-soft); }
      .start { color: var(--pvlm-car); }
      .fault svg { color: var(--pvlm-bad); }
      .limit svg, .meter svg { color: color-mix(in srgb, var(--pvlm-warn) 70%, var(--pvlm-text)); }
      .count {
        position: absolute; inset: -5px -7px auto auto; min-width: 14px; padding: 0 3px; border-radius: 7px; font-size: 10px;
        line-height: 14px; text-align: center;
        background: var(--pvlm-text); color: var(--pvlm-paper);
      }
      .bubble {
        position: absolute; z-index: 2; inset-block-end: calc(100% - 12px); padding: 10px 12px; border-radius: 8px;
        font-size: 14px; line-height: 1.35; pointer-events: none;
        background: var(--pvlm-paper); border: 1px solid var(--pvlm-line);
        box-shadow: 0 2px 8px rgb(0 0 0 / 25%);
      }
      .bubble p { margin: 0; }
      .bubble p + p { margin-block-start: 6px; }
      .soft { color: var(--pvlm-soft); }
      .what { font-weight: 500; }
    `,
  ];

  private get gap(): number {
    return window.matchMedia("(pointer: coarse)").matches ? GAP_TOUCH : GAP;
  }

  private x(time: number): number {
    return ((time - this.from) / (this.to - this.from)) * Math.max(0, this.width - LEFT - RIGHT);
  }

  protected override willUpdate(): void {
    const id = ({ marks: [mark] }: Group): string => `${mark?.time} ${mark?.event} ${mark?.charger}`;
    this.placed =
      this.width === 0
        ? []
        : this.lanes
            .flatMap(({ marks }, lane) =>
              grouped(marks, (time) => this.x(time), this.gap).map((group) => ({ id: id(group), lane, group })),
            )
            .sort((a, b) => a.group.x - b.group.x || a.lane - b.lane);
    const known = (wanted: string | undefined): boolean => this.placed.some((placed) => placed.id === wanted);
    if (!known(this.open)) this.open = undefined;
    this.stop = known(this.current) ? this.current : this.placed.at(-1)?.id;
  }

  /** The focus goes where the user moved to, and stays there while other marks come and go. */
  protected override updated(): void {
    if (this.shadowRoot?.activeElement) this.renderRoot.querySelector<HTMLElement>("button[tabindex='0']")?.focus();
  }

  override render(): TemplateResult {
    return html`<div
      role="toolbar"
      aria-label=${this.text("timeline.decisions")}
      style="--gap:${this.gap}px"
      @keydown=${this.key}
      @focusout=${() => this.show(undefined)}
    >
      ${this.lanes.map((lane, index) => this.lane(lane, index))}
    </div>`;
  }

  private lane({ charger, many, bands }: Lane, index: number): TemplateResult {
    const name = charger?.name ?? (many ? this.text("timeline.all", { count: many }) : this.text("timeline.house"));
    const marks = this.placed.filter(({ lane }) => lane === index);
    const open = marks.find(({ id }) => id === this.open);
    return html`<div class="lane" data-lane=${charger?.serial ?? (many ? "all" : "house")}>
      <span class="name" style="left:${LEFT}px">${name}</span>
      <div class="track" style="left:${LEFT}px;right:${RIGHT}px">
        ${bands.map(
          ([from, to]) =>
            html`<div class="band" style="left:${this.x(from)}px;width:${Math.max(1, this.x(to) - this.x(from))}px"></div>`,
        )}
        ${marks.map((placed) => this.mark(placed))}
      </div>
      ${open ? this.bubble(open.group) : nothing}
    </div>`;
  }

  private mark({ id, group: { x, kind, marks } }: Placed): TemplateResult {
    const over = marks.every((mark) => mark.over);
    const told = marks.slice(0, MOST_TOLD).map((mark) => sentence(this.words(mark)));
    const label =
      marks.length === 1 ? told[0] : `${this.text("timeline.count", { count: marks.length })}: ${told.join("; ")}`;
    return html`<button
      data-mark=${kind}
      data-count=${marks.length}
      aria-label=${label}
      tabindex=${id === this.stop ? 0 : -1}
      style="left:${x}px"
      @focus=${() => this.focused(id)}
      @click=${(event: Event) => {
        (event.currentTarget as HTMLElement).focus();
        this.focused(id);
      }}
      @pointerenter=${() => this.show(id)}
      @pointerleave=${() => this.show(undefined)}
    >
      <span class="mark ${kind} ${over ? "over" : ""}">
        ${icon(GLYPHS[kind], 16)}
        ${marks.length > 1 ? html`<span class="count number">${marks.length}</span>` : nothing}
      </span>
    </button>`;
  }

  private words(mark: Group["marks"][number]): ReturnType<typeof words> {
    return words(this.hass, this.home, mark);
  }

  private bubble({ x, marks }: Group): TemplateResult {
    const width = Math.min(BUBBLE, this.width);
    const left = Math.min(Math.max(0, x + LEFT - width / 2), this.width - width);
    return html`<div class="bubble" aria-hidden="true" style="left:${left}px;width:${width}px">
      ${marks.slice(0, MOST_TOLD).map((mark) => {
        const { time, who, what, why } = this.words(mark);
        return html`<p>
          <span class="soft"><span class="number">${time}</span> · ${who}</span><br />
          <span class="what">${what}</span>${why ? html`<br />${why}` : nothing}
        </p>`;
      })}
      ${marks.length > MOST_TOLD ? html`<p class="soft">${this.text("timeline.more", { count: marks.length - MOST_TOLD })}</p>` : nothing}
    </div>`;
  }

  private show(id: string | undefined): void {
    this.open = id;
  }

  private focused(id: string): void {
    this.current = id;
    this.open = id;
  }

  private key(event: KeyboardEvent): void {
    const now = this.placed.findIndex(({ id }) => id === this.stop);
    const goal: Record<string, number> = {
      ArrowLeft: now - 1,
      ArrowRight: now + 1,
      Home: 0,
      End: this.placed.length - 1,
      ArrowUp: now - 1,
      ArrowDown: now + 1,
    };
    if (event.key === "Escape") this.show(undefined);
    const next = this.placed[goal[event.key] ?? -1];
    if (next === undefined) return;
    event.preventDefault();
    this.focused(next.id);
  }
}
