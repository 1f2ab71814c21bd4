import { mdiBatteryOutline, mdiCarElectric, mdiHome, mdiSolarPower, mdiTransmissionTower } from "@mdi/js";
import { html, nothing, type TemplateResult } from "lit";
import { HassElement, moreInfo } from "../../element";
import { percent, power, UNKNOWN } from "../../format";
import { icon } from "../../icon";
import type { Home, Live } from "../../model";
import { tokens } from "../../styles";
import { colour, nodeColour, ring, shares, stroke } from "./flow-look";
import { type FlowFigures, type FlowNode, flowFigures, flowNodes } from "./flow-nodes";
import { flowStyles } from "./flow-styles";

const ICONS = { pv: mdiSolarPower, grid: mdiTransmissionTower, house: mdiHome, cars: mdiCarElectric };
const same = (one: FlowFigures, other: FlowFigures): boolean =>
  one.charging === other.charging && one.surplus === other.surplus;

/** Where power comes from and where it goes. */
export class PowerFlow extends HassElement {
  static override properties = {
    home: { attribute: false },
    live: {
      attribute: false,
      // Reasons and countdowns are in it as well.
      hasChanged: (live?: Live, before?: Live) => !live || !before || !same(flowFigures(live), flowFigures(before)),
    },
  };
  declare home: Home;
  declare live: Live;

  static override styles = [tokens, flowStyles];

  override render(): TemplateResult {
    const figures = flowFigures(this.live);
    const nodes = flowNodes(this.home, figures);
    const cars = this.mix(nodes.find(({ kind }) => kind === "cars"));
    return html`
      <div class="stage"><div class="scene" style="--hub-y: ${nodes.length < 5 ? 0.5 : 0.52}">
        ${nodes.map((node) => this.wire(node))} ${nodes.map((node) => this.node(node, figures))}
        ${this.hub(figures)}
      </div></div>
      <p class="mix" aria-hidden="true">${cars ? this.text("flow.mix_cars", { parts: cars }) : ""}</p>`;
  }

  private wire({ x, y, toward, bands }: FlowNode): TemplateResult {
    const direction = toward === "hub" ? "inward" : toward === "node" ? "outward" : "still";
    return html`<div class="wire ${direction}" style="--x: ${x}; --y: ${y}" aria-hidden="true">
      ${bands.map(({ source, watts }) => {
        const { thickness, apart } = stroke(watts);
        return html`<div class="band" data-source=${source}
          style="--colour: ${colour(source)}; height: ${thickness}px; --apart: ${apart}px"><div class="dots"></div></div>`;
      })}
      ${bands.length > 0 ? html`<div class="arrow"></div>` : nothing}
    </div>`;
  }

  private node(node: FlowNode, figures: FlowFigures): TemplateResult {
    const { kind, watts, doing, x, y, entity } = node;
    const mixed = kind === "house" || kind === "cars" ? ring(node) : undefined;
    const mix = this.mix(node);
    const content = html`<span class="label">
        <span class="name">${this.text(`flow.${kind}`)}</span> <span>${this.words(node, figures)}</span>
      </span>
      ${icon(kind === "battery" ? batteryIcon(figures.surplus.battery_soc) : ICONS[kind], 24)}
      <span class="number" data-figure=${kind} data-value=${watts ?? ""}>${this.figure(node)}</span>
      ${mix ? html`<span class="visually-hidden">, ${mix}</span>` : nothing}`;
    const own = nodeColour(kind, doing);
    const look = [own && `--colour: ${own}`, mixed && `--ring: ${mixed}`].filter(Boolean).join("; ");
    const disc = `disc ${mixed ? "mixed" : ""}`;
    return html`<div class="node ${y === 0 ? "top" : ""} ${watts === null ? "unsure" : ""}" data-node=${kind}
      style="--x: ${x}; --y: ${y}; ${look}">
      ${
        entity === null
          ? html`<div class=${disc}>${content}</div>`
          : html`<button class=${disc} @click=${() => moreInfo(this, entity)}>${content}</button>`
      }
    </div>`;
  }

  /** The power without its sign: `words` say the direction. */
  private figure({ kind, watts }: FlowNode): string {
    const signed = kind === "house" || kind === "pv" || kind === "cars";
    return this.power(watts === null || signed ? watts : Math.abs(watts));
  }

  private hub({ surplus }: FlowFigures): TemplateResult {
    const entity = this.home.figures.surplus;
    const content = html`<span class="number" data-figure="surplus" data-value=${surplus.surplus_w ?? ""}
        >${this.power(surplus.surplus_w)}</span> <small>${this.text("flow.surplus")}</small>`;
    return html`${
      entity === null
        ? html`<div class="hub" tabindex="0" role="group" aria-describedby="meaning">${content}</div>`
        : html`<button class="hub" aria-describedby="meaning" @click=${() => moreInfo(this, entity)}>${content}</button>`
    }
      <div class="hint" id="meaning" role="tooltip">
        ${this.text("flow.surplus_meaning", { target: this.power(surplus.target_grid_w) })}
      </div>`;
  }

  private power(watts: number | null): string {
    return this.hass ? power(this.hass, watts) : UNKNOWN;
  }

  private words({ kind, doing }: FlowNode, { surplus, charging }: FlowFigures): string {
    if (kind === "cars" && charging !== null) {
      return this.text(charging === 1 ? "flow.car_charging" : "flow.cars_charging", { count: charging });
    }
    // Their number says it.
    const plain =
      doing === "producing" || doing === "consuming" || (doing === "idle" && (kind === "pv" || kind === "house"));
    if (plain) return "";
    const word = this.text(`flow.${doing}`);
    if (kind !== "battery" || surplus.battery_soc === null || !this.hass) return word;
    return `${percent(this.hass, surplus.battery_soc / 100)} · ${word}`;
  }

  /** In words which part comes from where, "" where nothing flows or nobody can tell. */
  private mix(node: FlowNode | undefined): string {
    if (node?.toward !== "node" || (node.kind !== "cars" && node.kind !== "house")) return "";
    const parts = shares(node.bands).map(({ source, percent: share }) =>
      this.text(source === "unknown" ? "flow.unknown" : `flow.from_${source}`, { percent: share }),
    );
    return parts.join(", ");
  }
}

/** A battery that is so full, in %: what is empty of it lies between the lines 6 (full) and 20 of the icon. */
function batteryIcon(soc: number | null): string {
  return mdiBatteryOutline.replace("M16,20", `M16,${Math.round(20 - (soc ?? 100) * 0.14)}`);
}
