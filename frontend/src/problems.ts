import type { Reading } from "./feed";
import type { HomeAssistant } from "./ha/types";
import type { Home, Live, Owner } from "./model";
import { type TextKey, textsOf } from "./texts";

const INTEGRATION_PAGE = "/config/integrations/integration/pv_load_manager";

export type ProblemKind =
  | "connection_lost"
  | "integration_missing"
  | "old_integration"
  | "no_answer"
  | "no_permission"
  | "no_chargers"
  | "no_manager"
  | "manager_starting"
  | "manager_not_loaded"
  | "manager_disabled"
  | "inverter_not_loaded"
  | "no_meter"
  | "charger_unknown";

/** Something that a person should see to. */
export interface Problem {
  kind: ProblemKind;
  /** Nothing works, something does not work, or it is only as it was set up. */
  weight: "error" | "warning" | "info";
  /** What is wrong. */
  what: string;
  /** How it is mended. */
  mend: string;
  /** Where that can be done, in Home Assistant, for those who may. */
  link?: { path: string; label: string };
}

export interface Known {
  hass: Pick<HomeAssistant, "language" | "connected" | "user">;
  home: Reading<Home>;
  live: Reading<Live | null>;
}

/** What is wrong with the site as a whole; what follows from another one is left out. */
export function siteProblems({ hass, home: { value: home, error }, live }: Known): Problem[] {
  const make = problemsOf(hass);
  if (!hass.connected) return [make("connection_lost", "warning", false)];
  if (home === undefined) return error === undefined ? [] : [make(kindOf(error, live), "error", false)];
  if (home.manager === null && home.chargers.length === 0) return [make("no_chargers", "error", true)];
  const problems: Problem[] = [];
  const manager = home.manager === null ? make("no_manager", "warning", true) : managerProblem(home.manager, make);
  if (manager !== undefined) problems.push(manager);
  if (home.chargers.length === 0) problems.push(make("no_chargers", "warning", true));
  for (const inverter of home.inverters) {
    if (!inverter.disabled && (inverter.state === "setup_retry" || inverter.state === "setup_error")) {
      problems.push(make("inverter_not_loaded", "warning", true, { name: inverter.name, reason: sentence(inverter) }));
    }
  }
  const figures = live.value?.site.surplus;
  if (figures?.grid_w === null && home.figures.grid_power.length === 0 && problems.length === 0) {
    problems.push(make("no_meter", "info", true));
  }
  return problems;
}

/** Chosen chargers that are not there (any more). */
export function unknownChargers(hass: Known["hass"]): Problem {
  return problemsOf(hass)("charger_unknown", "warning", false);
}

/** How a problem is mended; `settings`: on the integration's page, by an administrator. */
export function mending(
  hass: Pick<HomeAssistant, "language" | "user">,
  mend: string,
  settings: boolean,
): Pick<Problem, "mend" | "link"> {
  if (!settings) return { mend };
  const text = textsOf(hass.language);
  if (hass.user?.is_admin !== true) return { mend: text("problem.ask") };
  return { mend, link: { path: INTEGRATION_PAGE, label: text("problem.open") } };
}

type Make = (
  kind: ProblemKind,
  weight: Problem["weight"],
  settings: boolean,
  placeholders?: Record<string, string>,
) => Problem;

/** Makes problems in the user's language. */
function problemsOf(hass: Known["hass"]): Make {
  const text = textsOf(hass.language);
  return (kind, weight, settings, placeholders) => ({
    kind,
    weight,
    what: text(`problem.${kind}`, placeholders),
    ...mending(hass, text(`problem.${kind}.mend` as TextKey, placeholders), settings),
  });
}

function kindOf(error: string, live: Reading<Live | null>): ProblemKind {
  if (error === "unauthorized") return "no_permission";
  if (error !== "unknown_command") return "no_answer";
  return live.value === undefined ? "integration_missing" : "old_integration";
}

function managerProblem(manager: Owner, make: Make): Problem | undefined {
  if (manager.disabled) return make("manager_disabled", "warning", true);
  switch (manager.state) {
    case "loaded":
      return undefined;
    case "setup_in_progress":
    case "unload_in_progress":
      return make("manager_starting", "info", false);
    default:
      return make("manager_not_loaded", "warning", true, { reason: sentence(manager) });
  }
}

/** Home Assistant's reason as a sentence after another one; nothing where it has none. */
function sentence({ reason }: Owner): string {
  if (!reason) return "";
  return ` ${reason}${/[.!?…]$/.test(reason) ? "" : "."}`;
}
