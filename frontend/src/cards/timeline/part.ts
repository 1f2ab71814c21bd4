import { LitElement, type PropertyDeclarations } from "lit";
import type { HomeAssistant } from "../../ha/types";
import { type Text, textsOf } from "../../texts";

/** What stands left and right of what is drawn over the time, in px. */
export const LEFT = 48;
export const RIGHT = 14;

/** A part of the timeline: something drawn over the same time in the same width. */
export abstract class TimelinePart extends LitElement {
  static override properties: PropertyDeclarations = {
    hass: { attribute: false },
    from: { attribute: false },
    to: { attribute: false },
    width: { attribute: false },
  };
  declare hass: HomeAssistant;
  /** Times in ms. */
  declare from: number;
  declare to: number;
  /** px; 0 = not known yet. */
  declare width: number;

  protected get text(): Text {
    return textsOf(this.hass.language);
  }
}
