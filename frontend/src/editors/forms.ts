import { type TextKey, textsOf } from "../texts";
import { checkNames } from "./check";

interface Field {
  name: string;
  [option: string]: unknown;
}

/** What Home Assistant makes a card's visual editor of. */
export interface ConfigForm {
  schema: Field[];
  computeLabel(field: Field): string;
  computeHelper(field: Field): string | undefined;
  /** Throws where the form cannot show a configuration. */
  assertConfig(config: Record<string, unknown>): void;
}

/** Texts in the language of the page, which is the user's: nobody tells it here. */
const text = (key: TextKey): string => textsOf(document.documentElement.lang)(key);

const HELPED: readonly string[] = ["title", "chargers", "device", "hours", "compact"];

function form(schema: Field[], ...more: string[]): ConfigForm {
  const names = [...schema.map(({ name }) => name), ...more];
  return {
    assertConfig: (config) => checkNames(config, names),
    schema,
    computeLabel: ({ name }) => text(`editor.${name}` as TextKey),
    computeHelper: ({ name }) => (HELPED.includes(name) ? text(`editor.${name}.help` as TextKey) : undefined),
  };
}

const title: Field = { name: "title", selector: { text: {} } };

const device = (name: string, multiple: boolean): Field => ({
  name,
  selector: { device: { multiple, filter: { integration: "pv_load_manager", manufacturer: "Fronius" } } },
});

const toggle = (name: string, normally: boolean): Field => ({ name, default: normally, selector: { boolean: {} } });

const amount = (name: string, min: number, max: number, step: number, normally: number, unit: string): Field => ({
  name,
  default: normally,
  selector: { number: { mode: "box", min, max, step, unit_of_measurement: unit } },
});

export function siteForm(): ConfigForm {
  const choices = ["auto", "always", "never"] as const;
  const options = choices.map((value) => ({ value, label: text(`editor.compact.${value}`) }));
  return form([
    title,
    toggle("show_flow", true),
    toggle("show_circuits", true),
    toggle("show_chargers", true),
    device("chargers", true),
    { name: "compact", default: "auto", selector: { select: { mode: "dropdown", options } } },
  ]);
}

export function chargerForm(): ConfigForm {
  return form([device("device", false)], "entity");
}

export function timelineForm(): ConfigForm {
  return form([
    title,
    amount("hours", 0, 240, 1, 0, "h"),
    device("charger", false),
    amount("height", 120, 800, 10, 240, "px"),
    toggle("show_list", false),
  ]);
}
