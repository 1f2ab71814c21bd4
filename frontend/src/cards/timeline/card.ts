import { css, html, nothing, type TemplateResult } from "lit";
import { checkKinds } from "../../editors/check";
import { timelineForm } from "../../editors/forms";
import { HassElement } from "../../element";
import { homeFeed } from "../../feed";
import type { CardConfig, GridOptions, HomeAssistant } from "../../ha/types";
import type { Home, HomeCharger } from "../../model";
import { problemRows, problemStyles } from "../../problem-rows";
import { type Problem, siteProblems, unknownChargers } from "../../problems";
import { tokens } from "../../styles";
import { midnight, presentTime, timeZone } from "../../time";
import { type Curve, curvesOf, sources } from "./curves";
import { listStyles, markList } from "./list";
import { HOUSE_EVENT, LANE_EVENT, LANE_STATES, type Lane, lanesOf } from "./marks";
import { HistoryStream, type Wanted } from "./stream";
import { type Trouble, trouble } from "./troubles";

export interface TimelineCardConfig extends CardConfig {
  title?: string;
  /** How far back, in h; 0 = since midnight. */
  hours?: number;
  /** Id of the device of one charger: only what happens to it, and its power. */
  charger?: string;
  /** Of the curves, in px. */
  height?: number;
  /** Whether the list of decisions is open from the beginning. */
  show_list?: boolean;
}

/** How often the picture goes on, in ms. */
const PACE = 5_000;
const HOUR = 3_600_000;
/** A day of which little was recorded begins at a whole step and is at least so long, in ms. */
const [STEP, LEAST] = [5 * 60_000, 15 * 60_000];
/** What Home Assistant keeps by default. */
const MOST_HOURS = 240;

const within = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** The day's surplus, charged power and grid power with every decision. */
export class TimelineCard extends HassElement {
  static override properties = { ...HassElement.properties, listed: { state: true }, width: { state: true } };
  declare private listed: boolean;
  /** Of what is within the card, in px. */
  declare width: number;
  private readonly home = homeFeed(this);
  private readonly history = new HistoryStream(() => this.goOn());
  private config: TimelineCardConfig | undefined;
  private readonly observer = new ResizeObserver(([entry]) => {
    this.width = Math.round(entry?.contentRect.width ?? 0);
  });
  private timer: ReturnType<typeof setInterval> | undefined;
  private due = true;
  private shown: { home: Home; curves: Curve[]; lanes: Lane[]; from: number; to: number } | undefined;

  static override styles = [
    tokens,
    listStyles,
    problemStyles,
    css`
      ha-card { padding: var(--pvlm-gap); height: 100%; }
      header { display: flex; align-items: center; gap: 8px; min-height: 40px; margin-block: -4px 4px; }
      h2 {
        flex: 1; margin: 0; font-size: var(--ha-font-size-l); font-weight: var(--ha-font-weight-medium);
        line-height: 24px;
      }
      .toggle {
        display: flex; align-items: center; gap: 8px; min-height: 40px; padding: 0 12px; border-radius: 20px;
        border: 1px solid var(--pvlm-line);
      }
      .toggle[aria-expanded="true"] { background: var(--pvlm-track); }
      .problems { margin-block-end: 12px; }
      .empty { display: grid; place-items: center; color: var(--pvlm-soft); }
    `,
  ];

  static getConfigForm = timelineForm;

  static getStubConfig(): Omit<TimelineCardConfig, "type"> {
    return { hours: 0 };
  }

  constructor() {
    super();
    this.listed = false;
    this.width = 0;
  }

  /** Throws where an option has no meaning, as Home Assistant expects. */
  setConfig(config: TimelineCardConfig): void {
    const known = {
      title: "string",
      hours: "number",
      charger: "string",
      height: "number",
      show_list: "boolean",
    } as const;
    checkKinds(config, known);
    this.config = config;
    this.listed = config.show_list === true;
    this.goOn();
  }

  getCardSize(): number {
    return 8;
  }

  getGridOptions(): GridOptions {
    return { columns: "full", rows: "auto", min_columns: 6 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => document.hidden || this.goOn(), PACE);
    this.goOn();
  }

  protected override firstUpdated(): void {
    this.observer.observe(this.renderRoot.querySelector("header") as HTMLElement);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
    this.history.stop();
  }

  protected override followed(hass: HomeAssistant): void {
    this.home.follow(hass);
  }

  private goOn(): void {
    this.due = true;
    this.requestUpdate();
  }

  private chargers(home: Home): HomeCharger[] {
    const device = this.config?.charger;
    return device ? home.chargers.filter(({ device_id }) => device_id === device) : home.chargers;
  }

  private only(home: Home): HomeCharger | undefined {
    return this.config?.charger ? this.chargers(home)[0] : undefined;
  }

  /** Since when something is shown at a time, in ms. */
  private begin(hass: HomeAssistant, now: number): number {
    const hours = within(this.config?.hours ?? 0, 0, MOST_HOURS);
    // Of a new day at least an hour, so that it does not begin as a line.
    return hours === 0 ? Math.min(midnight(now, timeZone(hass)), now - HOUR) : now - hours * HOUR;
  }

  private wanted(hass: HomeAssistant, home: Home, now: number): Wanted {
    const known = (ids: (string | null | undefined)[]): string[] => [...new Set(ids.filter((id) => !!id))] as string[];
    const chargers = this.chargers(home);
    return {
      // In whole hours, so that it is asked anew once an hour, or at midnight.
      start: Math.floor(this.begin(hass, now) / HOUR) * HOUR,
      figures: known(
        Object.values(sources(home, this.only(home)))
          .flat()
          .map(({ id }) => id),
      ),
      states: known(chargers.flatMap(({ entities }) => LANE_STATES.map((key) => entities[key]))),
      events: known([
        ...chargers.map(({ entities }) => entities[LANE_EVENT]),
        this.config?.charger ? null : home.manager?.entities[HOUSE_EVENT],
      ]),
    };
  }

  protected override willUpdate(): void {
    const home = this.home.reading.value;
    if (this.hass === undefined || home === undefined || !this.isConnected) return;
    const now = presentTime();
    this.history.follow(this.hass.connection, this.wanted(this.hass, home, now));
    if (!this.due && home === this.shown?.home) return;
    this.due = false;
    const { recording } = this.history;
    const curves = curvesOf(recording, this.hass, home, this.only(home));
    const begin = this.begin(this.hass, now);
    const first = Math.min(...curves.map(({ track }) => track.times[0] ?? now));
    // What began to be recorded later is shown from then on.
    const from = first < now ? Math.max(begin, Math.min(Math.floor(first / STEP) * STEP, now - LEAST)) : begin;
    this.shown = { home, curves, lanes: lanesOf(recording, home, this.chargers(home), from, now), from, to: now };
  }

  override render(): TemplateResult {
    const { hass } = this;
    const height = within(this.config?.height ?? 240, 120, 800);
    const problems = hass === undefined ? [] : this.problems(hass);
    const silent = this.history.error !== undefined && this.history.recording === undefined;
    return html`<ha-card>
      <header>
        <h2>${this.config?.title ?? this.text("timeline.title")}</h2>
        <button class="toggle" aria-expanded=${this.listed} @click=${this.toggle}>${this.text("timeline.list")}</button>
      </header>
      ${problemRows(problems)}
      ${hass && this.shown && !silent ? this.body(hass, this.shown, height) : nothing}
      ${
        this.shown || problems.length > 0
          ? nothing
          : html`<p class="empty" style="height:${height + 64}px">${this.text("loading")}</p>`
      }
    </ha-card>`;
  }

  private body(hass: HomeAssistant, shown: NonNullable<typeof this.shown>, height: number): TemplateResult {
    const { home, curves, lanes, from, to } = shown;
    return html`
      ${
        curves.length === 0
          ? nothing
          : html`<pv-load-manager-timeline-chart .hass=${hass} .width=${this.width} .curves=${curves} .from=${from} .to=${to} .height=${height}>
            </pv-load-manager-timeline-chart>`
      }
      ${
        lanes.length === 0
          ? nothing
          : html`<pv-load-manager-timeline-lanes .hass=${hass} .home=${home} .width=${this.width} .lanes=${lanes} .from=${from} .to=${to}>
            </pv-load-manager-timeline-lanes>`
      }
      ${
        this.listed
          ? markList(
              hass,
              home,
              lanes.flatMap(({ marks }) => marks),
            )
          : nothing
      }
    `;
  }

  private problems(hass: HomeAssistant): (Problem | Trouble)[] {
    const problems = siteProblems({ hass, home: this.home.reading, live: { value: undefined, error: undefined } });
    const home = this.shown?.home;
    if (home === undefined) return problems;
    if (this.config?.charger && this.only(home) === undefined) return [...problems, unknownChargers(hass)];
    const ids = (this.history.recording?.wanted ?? this.wanted(hass, home, presentTime())).figures;
    const own = trouble(hass, home, ids, this.history, presentTime());
    return own ? [...problems, own] : problems;
  }

  private toggle(): void {
    this.listed = !this.listed;
  }
}
