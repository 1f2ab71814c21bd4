import { html, nothing, type TemplateResult } from "lit";
import type { Failure } from "../../actions";
import { checkKinds } from "../../editors/check";
import { siteForm } from "../../editors/forms";
import { HassElement, moreInfo } from "../../element";
import { homeFeed, liveFeed } from "../../feed";
import type { CardConfig, GridOptions, HomeAssistant } from "../../ha/types";
import type { Home, HomeCharger, Live } from "../../model";
import { failureRow, problemRows, problemStyles } from "../../problem-rows";
import { siteProblems, unknownChargers } from "../../problems";
import { share } from "../../share";
import { figureIds, fromStates } from "../../states";
import { tokens } from "../../styles";
import { buttons } from "../charger/styles";
import { head, headStyles } from "./head";
import { layout } from "./layout";

export interface SiteCardConfig extends CardConfig {
  title?: string;
  /** All true unless said otherwise. */
  show_flow?: boolean;
  show_circuits?: boolean;
  show_chargers?: boolean;
  /** Ids of the devices of those that are shown; none = all. */
  chargers?: string[];
  compact?: "auto" | "always" | "never" | boolean;
}

/** From so many chargers on each is one row that opens. */
const MANY = 9;

/** The whole site: power flow, circuits, and a lane for each charger. */
export class SiteCard extends HassElement {
  static override properties = { ...HassElement.properties, failure: { state: true } };
  declare private failure: Failure | undefined;
  private readonly home = homeFeed(this);
  private readonly live = liveFeed(this);
  private config: SiteCardConfig | undefined;
  private states: Live | undefined;
  private readonly lanesBySerial = new Map<string, HTMLElement>();

  static override styles = [tokens, buttons, problemStyles, headStyles, layout];

  static getConfigForm = siteForm;

  static getStubConfig(): Omit<SiteCardConfig, "type"> {
    return {};
  }

  setConfig(config: SiteCardConfig): void {
    checkKinds(config, {
      title: "string",
      show_flow: "boolean",
      show_circuits: "boolean",
      show_chargers: "boolean",
      chargers: "list",
      compact: ["auto", "always", "never", true, false],
    });
    this.config = config;
    this.requestUpdate();
  }

  getCardSize(): number {
    return 12;
  }

  getGridOptions(): GridOptions {
    return { columns: "full", min_columns: 6 };
  }

  protected override watched(): readonly (string | undefined)[] {
    const home = this.home.reading.value;
    if (home === undefined) return [];
    const { manager } = home;
    const shown = [manager?.entities["sensor.state"], manager?.entities["binary_sensor.dimmed"]];
    if (this.live.reading.value) return shown;
    return [...figureIds(home), ...home.chargers.map(({ entities }) => entities["sensor.power"]), ...shown].map(
      (id) => id ?? undefined,
    );
  }

  protected override followed(hass: HomeAssistant): void {
    this.home.follow(hass);
    this.live.follow(hass);
    this.passOn(hass);
  }

  override render(): TemplateResult {
    const { hass, config } = this;
    const { value: home, error } = this.home.reading;
    const { value: figures, error: silent } = this.live.reading;
    const waits = home === undefined ? error === undefined : figures === undefined && silent === undefined;
    if (hass === undefined || config === undefined || waits) return this.skeleton(home);
    const problems = siteProblems({ hass, home: this.home.reading, live: this.live.reading });
    if (home === undefined) {
      return html`<ha-card data-live="none">
        <header><h2>${this.heading(home)}</h2></header>${problemRows(problems)}</ha-card>`;
    }
    const chargers = this.chosen(home);
    if (config.chargers?.length && chargers.length < config.chargers.length) problems.push(unknownChargers(hass));
    const live = figures ?? undefined;
    return html`<ha-card data-live=${hass.connected ? (live ? "live" : "states") : "none"}>
      ${head(hass, home, this.heading(home), {
        status: ({ entity_id }) => moreInfo(this, entity_id),
        failed: ({ detail }) => {
          this.failure = detail ?? undefined;
        },
      })}
      ${this.failure ? html`<div role="alert">${failureRow(this.failure)}</div>` : nothing} ${problemRows(problems)}
      ${live || problems.some(({ kind }) => kind === "connection_lost" || kind === "no_chargers") ? nothing : html`<p class="hint">${this.text("site.not_live")}</p>`}
      <div class="body ${hass.connected ? "" : "old"}">${this.site(hass, home, live)} ${this.lanes(hass, chargers, live)}</div>
    </ha-card>`;
  }

  /** Flow and circuits. */
  private site(hass: HomeAssistant, home: Home, live: Live | undefined): TemplateResult | typeof nothing {
    // Kept, so that the flow sees whether anything is new.
    this.states = live === undefined ? share(this.states, fromStates(home, hass)) : undefined;
    const shown = live ?? this.states;
    const flow = this.config?.show_flow !== false && shown !== undefined;
    const circuits = this.config?.show_circuits !== false && (shown?.site.circuits.length ?? 0) > 0;
    if (shown === undefined || !(flow || circuits)) return nothing;
    return html`<div class="site ${flow && circuits ? "both" : ""}">
      ${flow ? html`<pv-load-manager-flow class="follows" .hass=${hass} .home=${home} .live=${shown}></pv-load-manager-flow>` : nothing}
      ${
        circuits
          ? html`<pv-load-manager-circuits class="follows" .hass=${hass} .home=${home} .circuits=${shown.site.circuits}
              .dimmed=${shown.site.dimmed}></pv-load-manager-circuits>`
          : nothing
      }
    </div>`;
  }

  private lanes(
    hass: HomeAssistant,
    chargers: readonly HomeCharger[],
    live: Live | undefined,
  ): TemplateResult | typeof nothing {
    if (this.config?.show_chargers === false || chargers.length === 0) return nothing;
    const rows = this.rows(chargers.length);
    return html`<div class="lanes">
      ${chargers.map((charger) => {
        const lane = this.lane(charger);
        const figures = live?.chargers.find((item) => item.charger === charger.serial);
        return Object.assign(lane, { hass, charger, live: figures, compact: rows });
      })}
    </div>`;
  }

  /** A charger keeps its lane with what is open in it, also where others come and go. */
  private lane({ serial }: HomeCharger): HTMLElement {
    const lane = this.lanesBySerial.get(serial) ?? document.createElement("pv-load-manager-lane");
    lane.className = "follows";
    this.lanesBySerial.set(serial, lane);
    return lane;
  }

  /** The chargers that are to be shown; one that is disabled only where it was asked for. */
  private chosen(home: Home): HomeCharger[] {
    const wanted = this.config?.chargers;
    if (!wanted?.length) return home.chargers.filter(({ disabled }) => !disabled);
    return home.chargers.filter(({ device_id }) => device_id !== null && wanted.includes(device_id));
  }

  /** What stands in the card's place until there is something to show, as high as that will be. */
  private skeleton(home: Home | undefined): TemplateResult {
    const config = this.config ?? { type: "" };
    const chargers = home === undefined ? [] : this.chosen(home);
    const bone = (kind: string): TemplateResult => html`<div class="bone ${kind}"></div>`;
    const [flow, circuits] = [config.show_flow !== false, config.show_circuits !== false && home?.manager !== null];
    return html`<ha-card data-live="none" aria-busy="true">
      <header>
        <div class="titles"><h2>${this.heading(home)}</h2><span class="status">${this.text("loading")}</span></div>
        ${home?.manager === null ? nothing : bone("modes")}
      </header>
      <div class="body" aria-hidden="true">
        ${flow || circuits ? html`<div class="site ${flow && circuits ? "both" : ""}">${flow ? bone("flow") : nothing}${circuits ? bone("circuits") : nothing}</div>` : nothing}
        ${
          config.show_chargers === false
            ? nothing
            : html`<div class="lanes">${(chargers.length > 0 ? chargers : [0]).map(() => html`<div>${bone(this.rows(chargers.length) ? "row" : "lane")}</div>`)}</div>`
        }
      </div>
    </ha-card>`;
  }

  private heading(home: Home | undefined): string {
    return this.config?.title || home?.manager?.name || this.text("site.title");
  }

  /** Whether each charger is one row that opens. */
  private rows(chargers: number): boolean {
    const compact = this.config?.compact ?? "auto";
    return compact === "auto" ? chargers >= MANY : compact === "always" || compact === true;
  }
}
