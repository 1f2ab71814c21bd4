import { LitElement, type PropertyDeclarations } from "lit";
import type { HassEntity, HomeAssistant } from "./ha/types";
import { type TextKey, textsOf } from "./texts";

/** What is shown by each element, besides states. */
const SHOWN = [
  "language",
  "locale",
  "connected",
  "connection",
  "user",
  "localize",
  // Comes later than `localize` when the texts of an integration are loaded.
  "formatEntityState",
  "themes",
] as const;

/**
 * An element that knows Home Assistant.
 *
 * `hass` is new with every state of the house; this renders anew only for what it shows: the entities that it watches,
 * the language, the connection, the user.
 */
export abstract class HassElement extends LitElement {
  static override properties: PropertyDeclarations = { hass: { attribute: false, noAccessor: true } };
  private _hass: HomeAssistant | undefined;

  get hass(): HomeAssistant | undefined {
    return this._hass;
  }

  set hass(hass: HomeAssistant | undefined) {
    const before = this._hass;
    this._hass = hass;
    if (hass !== undefined) this.followed(hass);
    if (before === undefined || hass === undefined || this.concerns(before, hass)) this.requestUpdate();
  }

  /** Entity ids whose states are shown. */
  protected watched(): readonly (string | undefined)[] {
    return [];
  }

  /** What is to be done with each new `hass`, before it is known whether it is rendered. */
  protected followed(_hass: HomeAssistant): void {}

  /** Gives it to the elements within of the class "follows": they know better than this one which states they show. */
  protected passOn(hass: HomeAssistant): void {
    if (!this.hasUpdated) return;
    for (const part of this.renderRoot.querySelectorAll<HassElement>(".follows")) part.hass = hass;
  }

  /** A text in the user's language; numbers and names stand in braces. */
  protected text(key: TextKey, placeholders?: Record<string, string | number>): string {
    return textsOf(this._hass?.language)(key, placeholders);
  }

  protected state(entityId: string | undefined | null): HassEntity | undefined {
    return entityId ? this._hass?.states[entityId] : undefined;
  }

  private concerns(before: HomeAssistant, hass: HomeAssistant): boolean {
    return (
      SHOWN.some((part) => before[part] !== hass[part]) ||
      this.watched().some((id) => id !== undefined && before.states[id] !== hass.states[id])
    );
  }
}

/**
 * Defines an element unless the page has it already: Home Assistant may load a module twice.
 *
 * While Home Assistant starts it replaces the registry: what is defined before that is not found later.
 */
export function define(name: string, element: CustomElementConstructor): void {
  void customElements.whenDefined("home-assistant").then(() => {
    if (customElements.get(name) === undefined) customElements.define(name, element);
  });
}

/** Opens Home Assistant's dialog about an entity. */
export function moreInfo(from: EventTarget, entityId: string): void {
  from.dispatchEvent(new CustomEvent("hass-more-info", { detail: { entityId }, bubbles: true, composed: true }));
}
