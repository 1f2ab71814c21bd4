import type { HomeAssistant } from "./ha/types";
import { type TextKey, textsOf } from "./texts";

/** Why an action was not carried out; the kind is a `data-problem`. */
export interface Failure {
  kind: "no_permission" | "connection_lost" | "refused";
  /** In words that a person can act on. */
  text: string;
}

/** What Home Assistant rejects a command with: bare, or within `error` where the connection broke meanwhile. */
interface Rejection {
  code?: string | number;
  message?: string;
  translation_domain?: string;
  translation_key?: string;
  translation_placeholders?: Record<string, string>;
  error?: Rejection;
}

/** Code of home-assistant-js-websocket for a connection that broke before the answer came. */
const CONNECTION_LOST = 3;

/** What Home Assistant says, in no other language, to who lacks the right to an action. */
const UNAUTHORIZED = "Unauthorized";

/** Calls an action for one entity; returns why it was not carried out, or undefined where it was. */
export async function act(
  hass: HomeAssistant,
  action: `${string}.${string}`,
  entityId: string,
  data: Record<string, unknown> = {},
): Promise<Failure | undefined> {
  // Home Assistant's frontend would keep the command and send it when the connection is back: too late for a person
  // who has gone on.
  if (!hass.connected) return failure(hass, "connection_lost", "action.connection_lost");
  const [domain, name] = action.split(".", 2) as [string, string];
  try {
    await hass.callService(domain, name, data, { entity_id: entityId }, false);
    return undefined;
  } catch (error) {
    return failureOf(hass, error);
  }
}

/** Tells the elements around that what was tried was not carried out; null = it is tried now. */
export function tellFailure(from: EventTarget, failure: Failure | null): void {
  from.dispatchEvent(new CustomEvent("pvlm-failure", { detail: failure }));
}

/** Says in the user's language why a command was rejected. */
export async function failureOf(hass: HomeAssistant, rejected: unknown): Promise<Failure> {
  const outer = (rejected ?? {}) as Rejection;
  const error = outer.error ?? outer;
  if (error.code === CONNECTION_LOST) return failure(hass, "connection_lost", "action.connection_lost");
  // An action is refused with Home Assistant's general code, a command with one of its own.
  const forbidden = error.code === "unauthorized" || (error.message === UNAUTHORIZED && !error.translation_key);
  if (forbidden) return failure(hass, "no_permission", "action.unauthorized");
  const reason = (await translated(hass, error)) ?? error.message;
  return reason ? { kind: "refused", text: reason } : failure(hass, "refused", "action.failed");
}

function failure(hass: HomeAssistant, kind: Failure["kind"], key: TextKey): Failure {
  return { kind, text: textsOf(hass.language)(key) };
}

/** The message of the integration that refused, in the user's language; Home Assistant sends it in its own. */
async function translated(hass: HomeAssistant, error: Rejection): Promise<string | undefined> {
  const { translation_domain: domain, translation_key: key } = error;
  if (!domain || !key || hass.loadBackendTranslation === undefined) return undefined;
  try {
    const localize = await hass.loadBackendTranslation("exceptions", domain);
    return localize(`component.${domain}.exceptions.${key}.message`, error.translation_placeholders) || undefined;
  } catch {
    return undefined;
  }
}
