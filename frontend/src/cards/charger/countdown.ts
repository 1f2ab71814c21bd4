import { html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { countdown } from "../../format";
import { textsOf } from "../../texts";
import { eachSecond } from "../../ticker";
import { presentTime } from "../../time";

/** Seconds from now until a moment (ISO 8601); undefined where it is over or there is none. */
export function secondsUntil(moment: string | null, now: number = presentTime()): number | undefined {
  const seconds = moment === null ? Number.NaN : (Date.parse(moment) - now) / 1000;
  return seconds > 0 ? seconds : undefined;
}

/** Counts down to the next possible change: the only thing of a lane that is rendered each second by itself. */
export class Countdown extends LitElement {
  static override properties: PropertyDeclarations = { moment: {}, language: {} };
  declare moment: string | null;
  declare language: string;
  private end: (() => void) | undefined;

  constructor() {
    super();
    this.moment = null;
    this.language = "en";
  }

  /** In the light: the text is part of the lane around it, for whoever looks for it there. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.rest();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  override render(): TemplateResult | typeof nothing {
    const left = secondsUntil(this.moment);
    if (left === undefined) {
      this.rest();
      return nothing;
    }
    if (this.isConnected) this.end ??= eachSecond(() => this.requestUpdate());
    return html`${textsOf(this.language)("lane.countdown", { time: countdown(left) })}`;
  }

  private rest(): void {
    this.end?.();
    this.end = undefined;
  }
}
