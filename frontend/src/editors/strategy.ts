import { css, html, type TemplateResult } from "lit";
import { HassElement } from "../element";
import { homeFeed } from "../feed";
import type { HomeAssistant } from "../ha/types";
import { type StrategyConfig, VIEWS } from "../strategy/options";
import { tokens } from "../styles";

/** The visual editor of the dashboard: its title, which views it has, which chargers it shows. */
export class StrategyEditor extends HassElement {
  private readonly home = homeFeed(this);
  private config: StrategyConfig | undefined;

  static override styles = [
    tokens,
    css`
      :host { padding-block: 8px; }
      fieldset { margin: 20px 0 0; padding: 0; border: 0; }
      legend, .label { padding: 0; font-size: 14px; font-weight: 500; line-height: 20px; }
      label.choice { display: flex; align-items: center; gap: 12px; min-height: 44px; }
      input[type="checkbox"] { width: 20px; height: 20px; margin: 0; accent-color: var(--pvlm-car); }
      input[type="text"] {
        width: 100%; min-height: 44px; margin-top: 4px; padding: 0 12px; border: 1px solid var(--pvlm-soft); border-radius: 8px;
        font: inherit; color: inherit; background: var(--card-background-color);
      }
      p { margin: 4px 0 0; font-size: 13px; color: var(--pvlm-soft); }
    `,
  ];

  setConfig(config: StrategyConfig): void {
    this.config = config;
    this.requestUpdate();
  }

  protected override followed(hass: HomeAssistant): void {
    this.home.follow(hass);
  }

  override render(): TemplateResult {
    const config = this.config ?? { type: "" };
    const chargers = (this.home.reading.value?.chargers ?? []).filter(({ device_id }) => device_id !== null);
    return html`
      <label><span class="label">${this.text("editor.title")}</span>
        <input type="text" name="title" .value=${config.title ?? ""} placeholder=${this.text("strategy.name")}
          @change=${(event: Event) => this.change({ title: (event.target as HTMLInputElement).value.trim() })}></label>
      <fieldset><legend>${this.text("editor.views")}</legend>
        ${VIEWS.map((name) => this.choice("hide_views", name, this.text(`view.${name}`)))}
      </fieldset>
      <fieldset><legend>${this.text("editor.all_chargers")}</legend>
        ${chargers.length === 0 ? html`<p>${this.text("editor.no_chargers")}</p>` : ""}
        ${chargers.map(({ name, device_id }) => this.choice("hide_chargers", device_id ?? "", name))}
      </fieldset>`;
  }

  /** Something that is shown unless it is in a list of what is hidden. */
  private choice(list: "hide_views" | "hide_chargers", item: string, label: string): TemplateResult {
    const hidden = (): readonly string[] => this.config?.[list] ?? [];
    const chosen = ({ target }: Event): void => {
      const others = hidden().filter((other) => other !== item);
      this.change({ [list]: (target as HTMLInputElement).checked ? others : [...others, item] });
    };
    return html`<label class="choice"><input type="checkbox" name=${item} .checked=${!hidden().includes(item)}
      @change=${chosen}><span>${label}</span></label>`;
  }

  /** Tells Home Assistant; what is empty is left out of the configuration. */
  private change(part: Partial<StrategyConfig>): void {
    const entries = Object.entries({ ...this.config, ...part }).filter(
      ([, value]) => value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0),
    );
    this.config = Object.fromEntries(entries) as StrategyConfig;
    this.requestUpdate();
    const detail = { config: this.config };
    this.dispatchEvent(new CustomEvent("config-changed", { detail, bubbles: true, composed: true }));
  }
}
