import { mdiAlertOutline, mdiChevronRight } from "@mdi/js";
import { html, nothing, type TemplateResult } from "lit";
import { HassElement, moreInfo } from "../../element";
import { current, number, percent } from "../../format";
import { icon } from "../../icon";
import type { Home, LiveCircuit } from "../../model";
import { tokens } from "../../styles";
import { type CircuitShape, circuitEntity, circuitTree, type PhaseBar, segments, shapeOf } from "./circuit-shape";
import { circuitStyles } from "./circuit-styles";

/** More circuits than this below the house connection are folded: their names and how full they are. */
const FOLDED_FROM = 7;
/** What is fed in stands in the bar only where this part of it is empty. */
const ROOM_FOR_TEXT = 0.5;

/** From so many A on it is said that a phase feeds in. */
const TELLING = 0.5;

const LEGEND = ["house", "chargers", "spare", "free"] as const;

/** The circuits as a tree: bars per phase against their limits. */
export class Circuits extends HassElement {
  static override properties = {
    home: { attribute: false },
    circuits: { attribute: false },
    dimmed: { type: Boolean },
    unfolded: { state: true },
  };
  declare home: Home;
  declare circuits: readonly LiveCircuit[];
  /** Whether the grid operator dims the house connection. */
  declare dimmed: boolean;
  /** Ids of folded circuits that the user opened, or of the house connection that the user closed. */
  declare private unfolded: ReadonlySet<string>;

  /** By the circuit's id. */
  private readonly made = new Map<string, { basis: readonly unknown[]; template: TemplateResult }>();

  static override styles = [tokens, circuitStyles];

  constructor() {
    super();
    this.dimmed = false;
    this.unfolded = new Set();
  }

  override render(): TemplateResult | typeof nothing {
    const { hass, home, circuits } = this;
    if (!hass || !home || !circuits) return nothing;
    const known = new Map(home.circuits.map((circuit) => [circuit.id, circuit]));
    const tree = circuitTree(circuits);
    const foldable = tree.length > FOLDED_FROM;
    return html`
      <p class="legend" aria-hidden="true">
        ${LEGEND.map((kind) => html`<span><i class=${kind}></i>${this.text(`circuits.${kind}`)}</span>`)}
      </p>
      <ul class=${tree.length > 2 ? "many" : ""} role="list" aria-label=${this.text("circuits.title")}>
        ${tree.map(({ circuit, depth }, index) => {
          const folding = foldable && depth > 0;
          const look = {
            feeding: (tree[index + 1]?.depth ?? 0) > depth,
            folding,
            open: !folding || this.unfolded.has(circuit.id),
            entity: circuitEntity(home, circuit.id),
            dimmed: this.dimmed && depth === 0,
          };
          const own = known.get(circuit.id);
          return this.kept(circuit.id, [circuit, own, depth, ...Object.values(look), hass.locale, hass.language], () =>
            this.circuit(shapeOf(circuit, depth, own), look),
          );
        })}
      </ul>`;
  }

  /** What was made of the same basis before, else a new one: most circuits say the same each second. */
  private kept(id: string, basis: readonly unknown[], make: () => TemplateResult): TemplateResult {
    const before = this.made.get(id);
    if (before?.basis.every((item, index) => item === basis[index])) return before.template;
    const template = make();
    this.made.set(id, { basis, template });
    return template;
  }

  private circuit(shape: CircuitShape, { feeding, folding, open, entity, dimmed }: Look): TemplateResult {
    const { circuit, depth, phases } = shape;
    const rows = html`<span class="visually-hidden">${circuit.name}: </span>${phases.map((bar) => this.phase(circuit, bar))}`;
    const bars = entity
      ? html`<button class="phases" @click=${() => moreInfo(this, entity)}>${rows}</button>`
      : html`<div class="phases">${rows}</div>`;
    const notes = this.notes(shape, dimmed);
    return html`<li class="${feeding ? "feeding" : ""} ${folding && !open ? "folded" : ""}" data-circuit=${circuit.id} style="--depth: ${Math.min(depth, 4)}">
      ${
        folding
          ? this.foldingHead(shape, open, notes)
          : html`<div class="head"><span class="name">${circuit.name}</span>${note(notes)}</div>`
      }
      ${folding && open ? note(notes) : nothing}
      ${open ? bars : nothing}
    </li>`;
  }

  private foldingHead({ circuit, phases, utilisation }: CircuitShape, open: boolean, notes: Notes): TemplateResult {
    const fullest = phases.reduce<PhaseBar | undefined>(
      (most, bar) => (most === undefined || bar.used > most.used ? bar : most),
      undefined,
    );
    return html`<button class="head" aria-expanded=${open} @click=${() => this.toggle(circuit.id)}>
      <span class="chevron">${icon(mdiChevronRight, 20)}</span>
      <span class="name">${circuit.name}</span>
      ${!open && notes.kind !== "plain" ? note(notes) : nothing}
      ${open || !fullest ? nothing : html`<span class="mini">${this.bar(circuit, fullest)}</span>`}
      <span class="percent number">${this.hass ? percent(this.hass, utilisation) : ""}</span>
    </button>`;
  }

  /** What is not as usual: too much, a meter that is late, a lowered limit. */
  private notes({ circuit, rated, over }: CircuitShape, dimmed: boolean): Notes {
    const { stage, limit_a, house_a } = circuit;
    const late = stage === "stale" || stage === "fallback" || stage === "dead";
    const texts = [
      over > 0 ? this.text("circuits.over", { amps: this.amps(over, 1) }) : "",
      late ? this.text(`circuits.${stage}`) : house_a === null ? this.text("circuits.unmetered") : "",
      limit_a < rated ? this.text("circuits.lowered", { limit: this.number(limit_a), rated: this.number(rated) }) : "",
      dimmed ? this.text("circuits.dimmed") : "",
    ];
    return { kind: over > 0 ? "bad" : late ? "warn" : "plain", text: texts.filter(Boolean).join(" · ") };
  }

  private phase(circuit: LiveCircuit, bar: PhaseBar): TemplateResult {
    return html`<span class="phase" data-phase=${bar.phase}>
      <span class="line">L${bar.phase}</span>
      <span class="visually-hidden">${this.sentence(bar)}; </span>
      ${this.bar(circuit, bar, true)}
      <span class="number">${this.number(bar.used)} <span class="limit">/ ${this.amps(circuit.limit_a)}</span></span>
    </span>`;
  }

  /** `named` = not only a hint of it. */
  private bar(circuit: LiveCircuit, bar: PhaseBar, named = false): TemplateResult {
    const values = { house: bar.house, chargers: bar.drawn, spare: bar.spare, free: bar.free };
    const feeds = named && bar.house !== null && bar.house <= -TELLING && bar.used / bar.scale < ROOM_FOR_TEXT;
    const mark = (circuit.limit_a / bar.scale) * 100;
    return html`<span class="bar" aria-hidden="true">
      ${segments(bar)
        .slice(0, named ? 4 : 2)
        .map(
          ({ kind, left, width }) =>
            html`<i class=${kind} data-segment=${named ? kind : nothing} data-value=${named ? (values[kind] ?? "") : nothing}
            style="left: ${left}%; width: ${width}%"></i>`,
        )}
      ${mark < 99.9 ? html`<i class="mark" style="left: ${Math.round(mark * 10) / 10}%"></i>` : nothing}
      ${feeds ? html`<em class="number">${this.feeds(bar)}</em>` : nothing}
    </span>`;
  }

  private feeds({ house }: PhaseBar): string {
    return this.text("circuits.feeds", { amps: this.amps(-(house ?? 0)) });
  }

  /** A phase for who cannot see its bar; the sum and the limit are read after it. */
  private sentence(bar: PhaseBar): string {
    const { house, drawn, free } = bar;
    const ofHouse =
      house !== null && house < 0 ? this.feeds(bar) : this.text("circuits.takes", { amps: this.amps(house) });
    const ofCars = this.text("circuits.cars_draw", { amps: this.amps(drawn) });
    return [house === null ? "" : ofHouse, ofCars, this.text("circuits.free_amps", { amps: this.amps(free) })]
      .filter(Boolean)
      .join(", ");
  }

  private amps(value: number | null, digits = 0): string {
    return this.hass ? current(this.hass, value, digits) : "";
  }

  private number(value: number): string {
    return this.hass ? number(this.hass, value) : "";
  }

  private toggle(id: string): void {
    const unfolded = new Set(this.unfolded);
    if (!unfolded.delete(id)) unfolded.add(id);
    this.unfolded = unfolded;
  }
}

interface Look {
  /** Whether circuits hang on it. */
  feeding: boolean;
  folding: boolean;
  open: boolean;
  entity: string | undefined;
  dimmed: boolean;
}

interface Notes {
  kind: "plain" | "warn" | "bad";
  text: string;
}

function note({ kind, text }: Notes): TemplateResult {
  return html`<span class="note ${kind}" data-part="note">
    ${kind === "plain" ? nothing : icon(mdiAlertOutline, 16)}<span>${text}</span>
  </span>`;
}
