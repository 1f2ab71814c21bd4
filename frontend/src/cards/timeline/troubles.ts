import type { HomeAssistant } from "../../ha/types";
import type { Home } from "../../model";
import type { Problem } from "../../problems";
import { textsOf } from "../../texts";
import type { HistoryStream } from "./stream";

type Kind = "no_recorder" | "no_history" | "no_figures" | "history_failed";

/** What is wrong with the history, and how it is mended. */
export type Trouble = Omit<Problem, "kind"> & { kind: Kind };

/** A state that is there for longer without being recorded is not recorded, in ms: Home Assistant writes every 5 s. */
const RECORDED_AFTER = 30_000;

/** What keeps the curves from being drawn; undefined = nothing, or it is not known yet. `ids`: entities of the curves. */
export function trouble(
  hass: HomeAssistant,
  home: Home,
  ids: readonly string[],
  { recording, error }: Pick<HistoryStream, "recording" | "error">,
  now: number,
): Trouble | undefined {
  if (ids.length === 0) return home.manager?.state === "loaded" ? make(hass, "no_figures") : undefined;
  if (error !== undefined) {
    // While Home Assistant starts, it is asked again.
    if (recording !== undefined || !hass.connected || hass.config.state !== "RUNNING") return undefined;
    return make(hass, error === "unknown_command" ? "no_recorder" : "history_failed");
  }
  if (recording === undefined) return undefined;
  const missing = ids.filter((id) => {
    const state = hass.states[id];
    const known = recording.wanted.figures.includes(id) && state !== undefined;
    return known && !recording.figures.has(id) && now - Date.parse(state.last_changed) > RECORDED_AFTER;
  });
  return missing.length > 0 ? make(hass, "no_history", { entities: missing.join(", ") }) : undefined;
}

function make(hass: HomeAssistant, kind: Kind, placeholders?: Record<string, string>): Trouble {
  const text = textsOf(hass.language);
  return {
    kind,
    weight: "warning",
    what: text(`history.${kind}`, placeholders),
    mend: text(`history.${kind}.mend`, placeholders),
  };
}
