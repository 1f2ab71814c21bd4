import { css, html, LitElement, type TemplateResult } from "lit";
import type { HomeAssistant } from "../../ha/types";
import type { Home, LiveCircuit } from "../../model";
import { tokens } from "../../styles";

/** The circuits as a tree: bars per phase against their limits. */
export class Circuits extends LitElement {
  static override properties = {
    hass: { attribute: false },
    home: { attribute: false },
    circuits: { attribute: false },
  };
  declare hass: HomeAssistant;
  declare home: Home;
  declare circuits: readonly LiveCircuit[];

  static override styles = [tokens, css``];

  override render(): TemplateResult {
    return html`${this.circuits.map((circuit) => html`<p data-circuit=${circuit.id}>${circuit.name}</p>`)}`;
  }
}
